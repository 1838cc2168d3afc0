import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Answer } from '../core/http-action/answer.ts'

/** A request, ready to be sent. */
export interface Outgoing {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly timeoutMs: number
  readonly maxAnswerBytes: number
  readonly signal: AbortSignal
}

/** No whole answer came. `sent`: the request may have reached the service. */
export class ExchangeError extends Error {
  readonly sent: boolean

  constructor(sent: boolean, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.sent = sent
  }
}

/** The call took longer than it may. */
class CallTimeout extends Error {
  readonly code = 'CALL_TIMED_OUT'
  constructor(timeoutMs: number) {
    super(`The call took longer than ${timeoutMs} ms`)
  }
}

/**
 * Sends one request and takes in its answer, up to the limit. Rejects with an `ExchangeError` when no whole answer came, which
 * knows whether the request was sent: undici announces a request before it writes the first byte.
 */
export async function exchange(dispatcher: Dispatcher, outgoing: Outgoing): Promise<Answer> {
  const { url, headers, body, timeoutMs, signal } = outgoing
  signal.throwIfAborted()
  const receiving = new Receiving(outgoing.maxAnswerBytes)
  const abort = () => receiving.abort(signal.reason as Error)
  const timer = setTimeout(() => receiving.abort(new CallTimeout(timeoutMs)), timeoutMs)
  signal.addEventListener('abort', abort, { once: true })
  try {
    dispatcher.dispatch(
      {
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: 'POST',
        headers,
        body,
        // the timer above bounds the whole of it
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      receiving,
    )
    return await receiving.answer
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}

/** Takes in one answer. */
class Receiving implements Dispatcher.DispatchHandler {
  readonly answer: Promise<Answer>
  private resolve: (answer: Answer) => void = () => {}
  private reject: (error: unknown) => void = () => {}
  private controller: Dispatcher.DispatchController | undefined
  private aborted: Error | undefined
  private head: Pick<Answer, 'status' | 'headers'> = { status: 0, headers: {} }
  private readonly chunks: Buffer[] = []
  private size = 0
  private readonly maxBytes: number

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }

  /** Nobody waits any longer, also where the request still waits for a connection. */
  abort(reason: Error): void {
    this.aborted = reason
    this.controller?.abort(reason)
    this.fail(reason)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.aborted) controller.abort(this.aborted)
    else this.controller = controller
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    const first = Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value])
    this.head = { status, headers: Object.fromEntries(first) }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const room = this.maxBytes - this.size
    this.size += chunk.length
    this.chunks.push(chunk.subarray(0, Math.max(0, room)))
    if (chunk.length <= room) return
    this.complete(true)
    controller.abort(new Error('The answer is larger than it may be'))
  }

  onResponseEnd(): void {
    this.complete(false)
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.fail(error)
  }

  private complete(truncated: boolean): void {
    this.resolve({ ...this.head, body: Buffer.concat(this.chunks), truncated })
  }

  private fail(reason: unknown): void {
    this.reject(new ExchangeError(this.controller !== undefined, reason))
  }
}
