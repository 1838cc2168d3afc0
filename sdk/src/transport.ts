import { DoError } from './errors.ts'
import type { Config } from './options.ts'
import { parseResult, readData, statusError } from './response.ts'
import { type SseMessage, SseParser } from './sse.ts'
import { aborted, backoffMs, now, sleep, within } from './time.ts'

/** What the server and the network get on top of the time that the server was asked to wait. */
const ANSWER_MS = 10_000
/** The server sends a sign of life every 12 s: three in a row missing, and then some. */
const SILENCE_MS = 45_000

type Variables = Readonly<Record<string, unknown>>
type Data = Readonly<Record<string, unknown>>

/** One request, built anew for each repetition: the time that is left to wait has become shorter. */
export interface Operation {
  readonly document: string
  variables(): Variables
  /** Milliseconds that the server was asked to wait before it answers. */
  serverWaits(): number
}

/** When a call is over. */
export interface Scope {
  /** On the clock of `now()`. */
  readonly deadline: number
  readonly signal: AbortSignal | undefined
}

/** The connection to the endpoint: requests that are repeated when they get lost, and streams that are not. */
export class Transport {
  readonly config: Config

  constructor(config: Config) {
    this.config = config
  }

  /**
   * Sends one operation until an answer comes back, and gives its `data`. Throws a `DoError`: the last failure when all
   * repetitions are used up or the next would come after the deadline, `TIMEOUT` at the deadline itself, `ABORTED`.
   */
  async request(operation: Operation, scope: Scope): Promise<Data> {
    for (let failures = 1; ; failures++) {
      if (scope.signal?.aborted) throw aborted(scope.signal)
      try {
        return await this.#attempt(operation, scope)
      } catch (error) {
        if (!(error instanceof DoError) || !error.retryable || failures > this.config.retries) throw error
        const delay = Math.max(backoffMs(failures), error.retryAfterMs ?? 0)
        if (now() + delay >= scope.deadline) throw error
        await sleep(delay, scope.signal)
      }
    }
  }

  async #attempt(operation: Operation, { deadline, signal }: Scope): Promise<Data> {
    const patience = operation.serverWaits() + ANSWER_MS
    const left = deadline - now()
    const elapsed = (): DoError =>
      left <= patience
        ? new DoError('TIMEOUT', 'the time was up before the server had answered', { retryable: true })
        : new DoError('NETWORK_ERROR', `the server has not answered within ${patience} ms`, { retryable: true })
    const body = encode(operation.document, operation.variables())
    const connection = new AbortController()
    try {
      const data = this.#post(body, 'application/graphql-response+json, application/json', connection.signal).then(
        readData,
      )
      return await within(data, Math.min(patience, left), signal, elapsed)
    } catch (error) {
      throw asNetworkError(error)
    } finally {
      connection.abort()
    }
  }

  /**
   * Opens one stream and yields its messages. Ends when the connection does; throws a `DoError` when it could not be opened,
   * broke, or was silent for too long. Leaving the loop closes the connection.
   * @param heard called when the connection stands and for each sign of life, which need not be a message.
   */
  async *stream(
    document: string,
    variables: Variables,
    signal: AbortSignal,
    heard: () => void,
  ): AsyncGenerator<SseMessage, void> {
    const silent = (): DoError =>
      new DoError('NETWORK_ERROR', `the stream was silent for ${SILENCE_MS} ms`, { retryable: true })
    const body = encode(document, variables)
    const connection = new AbortController()
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
    try {
      const opening = this.#post(body, 'text/event-stream', connection.signal).then(openStream)
      reader = await within(opening, SILENCE_MS, signal, silent)
      const parser = new SseParser()
      for (;;) {
        heard()
        const { done, value } = await within(reader.read(), SILENCE_MS, signal, silent)
        if (done) return
        yield* parser.push(value)
      }
    } catch (error) {
      throw asNetworkError(error)
    } finally {
      connection.abort()
      // for a fetch of the caller's own that does not heed the signal
      reader?.cancel().catch(() => {})
    }
  }

  // async, so that a fetch that throws at once is a failed request too
  async #post(body: string, accept: string, signal: AbortSignal): Promise<Response> {
    const headers = { 'content-type': 'application/json', ...this.config.headers, accept }
    return this.config.fetch.call(undefined, this.config.url, { method: 'POST', headers, body, signal })
  }
}

function encode(query: string, variables: Variables): string {
  try {
    return JSON.stringify({ query, variables })
  } catch (cause) {
    throw new DoError('INVALID_INPUT', `the input is no JSON: ${(cause as Error).message}`, { cause })
  }
}

async function openStream(response: Response): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  if (!response.ok) throw statusError(response, parseResult(await response.text()))
  if (response.headers.get('content-type')?.includes('text/event-stream') && response.body)
    return response.body.getReader()
  // a request that is refused before it streams is answered like any other
  await readData(response)
  throw new DoError('BAD_RESPONSE', 'the server answered a subscription without a stream')
}

/** Whatever `fetch` throws means that the answer was lost; its own reason stays as the cause. */
function asNetworkError(error: unknown): DoError {
  if (error instanceof DoError) return error
  return new DoError('NETWORK_ERROR', `the server could not be reached: ${reasonOf(error)}`, {
    retryable: true,
    cause: error,
  })
}

/** Node hides why a connection failed behind "fetch failed". */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  if (!(cause instanceof Error)) return String(cause)
  return cause.message || (cause as { code?: string }).code || cause.name
}
