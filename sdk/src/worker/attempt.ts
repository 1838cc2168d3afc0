import { now } from '../time.ts'
import { byteLength, jsonIssues } from './json.ts'
import type { AttemptRef, ClaimedRun } from './wire.ts'

const MAX_BEAT_BYTES = 65_536

/** Progress that is to be recorded. */
export interface Beat {
  readonly progress: unknown
  readonly bytes: number
}

/** One attempt that this worker has in hand. */
export class Attempt {
  readonly claimed: ClaimedRun
  /** When it came into hand, on the clock of `now()`. */
  readonly since = now()
  /** The renewal that would tell of its loss. */
  watchedBy: object | undefined
  readonly #function = new AbortController()
  readonly #revoked = new AbortController()
  readonly #onBeat: () => void
  #beat: Beat | undefined
  #settled = false

  /** @param onBeat called when there is progress to send. */
  constructor(claimed: ClaimedRun, onBeat: () => void) {
    this.claimed = claimed
    this.#onBeat = onBeat
  }

  get ref(): AttemptRef {
    return { runId: this.claimed.runId, attempt: this.claimed.attempt }
  }

  /** What the function sees. */
  get signal(): AbortSignal {
    return this.#function.signal
  }

  /** Aborted when it is not this worker's any more: nothing of it is reported. */
  get revoked(): AbortSignal {
    return this.#revoked.signal
  }

  /** Ends the function; how the attempt ended is reported. The first reason stands. */
  cut(reason: Error): void {
    this.#function.abort(reason)
  }

  revoke(reason: Error): void {
    this.#revoked.abort(reason)
    this.#function.abort(reason)
  }

  /** What `call` comes to, or the reason of the abort, whichever comes first. */
  race<T>(call: () => Promise<T> | T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const { signal } = this
      if (signal.aborted) return reject(signal.reason)
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      begin(call).then(resolve, reject)
    })
  }

  /** Throws a `TypeError` for progress that is no JSON or takes over 64 KiB. */
  readonly heartbeat = (progress: unknown): void => {
    const text = JSON.stringify(progress) as string | undefined
    const [issue] = text === undefined ? [{ message: 'is not JSON' }] : jsonIssues(progress)
    if (issue) throw new TypeError(`heartbeat(progress): the progress ${issue.message}`)
    const bytes = byteLength(text ?? '')
    if (bytes > MAX_BEAT_BYTES) throw new TypeError(`heartbeat(progress): over ${MAX_BEAT_BYTES} bytes of JSON`)
    if (this.#settled || this.revoked.aborted) return
    // a copy: the function may go on with its own
    this.#beat = { progress: JSON.parse(text ?? ''), bytes }
    this.#onBeat()
  }

  get beat(): Beat | undefined {
    return this.#beat
  }

  takeBeat(): Beat | undefined {
    const beat = this.#beat
    this.#beat = undefined
    return beat
  }

  /** What could not be sent is sent with the next renewal, unless there is something newer. */
  giveBack(beat: Beat): void {
    this.#beat ??= beat
  }

  /** The function has ended: what it still says of its progress is of no use. */
  settle(): void {
    this.#settled = true
  }
}

/** What `call` throws at once becomes a rejection. */
async function begin<T>(call: () => T | Promise<T>): Promise<T> {
  return call()
}
