import { RUN_EVENTS } from './documents.ts'
import { DoError, returned, withContext } from './errors.ts'
import { dataOf, parseResult } from './response.ts'
import type { SseMessage } from './sse.ts'
import { backoffMs, now, sleep } from './time.ts'
import type { Transport } from './transport.ts'
import type { RunEvent } from './types.ts'

/** A server may restart while somebody watches; one that is away for so long is gone. */
const AWAY_MS = 300_000
/** A connection that lived for so long was a good one: the next failure is a first one again. */
const STEADY_MS = 10_000

/**
 * The events of a run after the cursor, each once and in order, over any number of connections. Ends when the run has
 * ended or the signal aborts; throws a `DoError` for what no new connection can change.
 */
export function watchRun(
  transport: Transport,
  id: string,
  after: number,
  signal: AbortSignal | undefined,
): AsyncIterableIterator<RunEvent> {
  const own = new AbortController()
  const events = follow(transport, id, after, signal, own)
  return {
    next: () => events.next(),
    // a generator's own return() would wait behind a next() that waits for the server
    return: () => {
      own.abort()
      return events.return(undefined)
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

async function* follow(
  transport: Transport,
  id: string,
  after: number,
  callers: AbortSignal | undefined,
  own: AbortController,
): AsyncGenerator<RunEvent, undefined> {
  const { signal } = own
  const stop = (): void => own.abort()
  callers?.addEventListener('abort', stop)
  if (callers?.aborted) stop()
  const patience = new Patience(transport.config.retries)
  let cursor = after
  try {
    while (!signal.aborted) {
      let lost = new DoError('NETWORK_ERROR', 'the stream broke off', { retryable: true, runId: id })
      try {
        const messages = transport.stream(RUN_EVENTS, { id, after: cursor }, signal, () => patience.heard())
        for await (const message of messages) {
          if (message.event === 'complete') return
          const event = eventIn(message)
          // seen before the connection broke, or sent twice by something in between
          if (!event || event.seq <= cursor) continue
          cursor = event.seq
          patience.progressed()
          yield event
        }
      } catch (error) {
        lost = withContext(returned(error), { runId: id })
      }
      if (signal.aborted) return
      await sleep(patience.delayAfter(lost), signal)
    }
  } finally {
    callers?.removeEventListener('abort', stop)
  }
}

function eventIn(message: SseMessage): RunEvent | undefined {
  if (message.event !== 'next') return undefined
  const result = parseResult(message.data)
  if (!result) throw new DoError('NETWORK_ERROR', 'the stream was garbled', { retryable: true })
  return dataOf(result).runEvents as RunEvent
}

/** How long to go on connecting anew: as often as any request before the first contact, patiently after it. */
class Patience {
  readonly #retries: number
  #failures = 0
  #everHeard = false
  #connectedAt: number | undefined
  #lostAt: number | undefined

  constructor(retries: number) {
    this.#retries = retries
  }

  /** The connection stands, or brought a sign of life. */
  heard(): void {
    this.#everHeard = true
    this.#connectedAt ??= now()
    this.#lostAt = undefined
  }

  progressed(): void {
    this.#failures = 0
  }

  /** Milliseconds before the next connection; throws the error when there shall be none. */
  delayAfter(error: DoError): number {
    if (this.#connectedAt !== undefined && now() - this.#connectedAt > STEADY_MS) this.#failures = 0
    this.#connectedAt = undefined
    this.#lostAt ??= now()
    this.#failures++
    const givenUp = this.#everHeard ? now() - this.#lostAt > AWAY_MS : this.#failures > this.#retries
    if (!error.retryable || givenUp) throw error
    return Math.max(backoffMs(this.#failures), error.retryAfterMs ?? 0)
  }
}
