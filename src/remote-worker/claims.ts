import type { Place } from '../executor/place.ts'
import type { Handed } from './hand-over.ts'
import { Mail } from './mail.ts'

/** One request for runs that waits. */
interface Waiting {
  readonly workerId: string
  readonly names: ReadonlySet<string>
  readonly limit: number
  /** Called once: there may be something; or it is over. */
  wake: () => void
  over: boolean
}

export interface ClaimRequest {
  readonly workerId: string
  readonly names: readonly string[]
  readonly limit: number
  readonly waitMs: number
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal | undefined
}

/**
 * Requests for runs that wait until there are some. A run that is queued wakes one of those that could take it, not all; one that
 * takes as many as it may wakes the next, for there may be more. A run that is submitted while one waits is given to it as it is inserted.
 */
export class Claims {
  private readonly waiting = new Set<Waiting>()
  /** The request under way of each worker. */
  private readonly underWay = new Map<string, { readonly waiting: Waiting; readonly ended: Promise<unknown> }>()
  private readonly mail = new Mail()
  private stopped = false
  private readonly pollMs: number
  private readonly take: (request: ClaimRequest) => Promise<Handed[]>

  /** @param pollMs how often a request looks without being woken. */
  constructor(pollMs: number, take: (request: ClaimRequest) => Promise<Handed[]>) {
    this.pollMs = pollMs
    this.take = take
  }

  /** Answers as soon as there is something, with nothing after `waitMs`, when the caller has gone, and when the worker asks again. */
  async claim(request: ClaimRequest): Promise<Handed[]> {
    const { workerId, names, limit, signal } = request
    await this.release(workerId)
    const waiting: Waiting = { workerId, names: new Set(names), limit, wake() {}, over: false }
    const gone = () => end(waiting)
    signal?.addEventListener('abort', gone)
    const ended = this.takeOrWait(request, waiting)
    this.underWay.set(workerId, { waiting, ended: ended.catch(() => {}) })
    try {
      return await ended
    } finally {
      signal?.removeEventListener('abort', gone)
      if (this.underWay.get(workerId)?.waiting === waiting) this.underWay.delete(workerId)
    }
  }

  private async takeOrWait(request: ClaimRequest, waiting: Waiting): Promise<Handed[]> {
    const { workerId, names, limit, signal } = request
    const until = performance.now() + request.waitMs
    try {
      for (;;) {
        if (this.stopped || waiting.over || signal?.aborted) return []
        const given = this.mail.collect(workerId, limit)
        if (given.length > 0) return given
        const woken = this.nextWake(waiting, until)
        const room = this.mail.room(workerId, limit)
        const handed = room > 0 ? await this.take({ ...request, limit: room }) : []
        if (handed.length > 0 && handed.length === room) this.wake(names)
        if (handed.length > 0) return [...handed, ...this.mail.collect(workerId, limit - handed.length)]
        if (performance.now() >= until) return this.mail.collect(workerId, limit)
        await woken
      }
    } finally {
      waiting.wake()
    }
  }

  /** How many requests wait. */
  get size(): number {
    return this.waiting.size
  }

  /** Room for a run of this name at a worker that waits for one; `undefined` where none does. @param fits whether a worker may have it. */
  reserve(name: string, fits: (workerId: string) => boolean): Place | undefined {
    for (const waiting of this.waiting) {
      const { workerId, names, limit } = waiting
      if (!names.has(name) || this.mail.room(workerId, limit) === 0 || !fits(workerId)) continue
      // the next run goes to the next worker
      this.waiting.delete(waiting)
      this.waiting.add(waiting)
      this.mail.expect(workerId)
      return {
        id: workerId,
        // given twice, the worker takes it once
        holds: () => false,
        launchReserved: (run, action) => {
          this.mail.deliver(workerId, { run, action })
          this.underWay.get(workerId)?.waiting.wake()
        },
        release: () => this.mail.cancel(workerId),
      }
    }
    return undefined
  }

  /** Work was queued under these names. */
  wake(names: Iterable<string>): void {
    for (const name of names)
      for (const waiting of this.waiting)
        if (waiting.names.has(name)) {
          waiting.wake()
          break
        }
  }

  wakeAll(): void {
    for (const waiting of [...this.waiting]) waiting.wake()
  }

  /** A worker asks for nothing any more, or asks anew: what waits for it is answered, before this resolves. */
  async release(workerId: string): Promise<void> {
    for (let one = this.underWay.get(workerId); one; one = this.underWay.get(workerId)) {
      end(one.waiting)
      await one.ended
      if (this.underWay.get(workerId) === one) this.underWay.delete(workerId)
    }
  }

  /** What was given to a worker and not collected is found in the database. */
  forget(workerId: string): void {
    this.mail.forget(workerId)
  }

  /** The same for all workers but these. */
  forgetAllBut(workerIds: ReadonlySet<string>): void {
    this.mail.forgetAllBut(workerIds)
  }

  /** Every request is answered, with nothing. */
  stop(): void {
    this.stopped = true
    this.wakeAll()
  }

  /** From now on the request hears of what is queued: before it looks, so that nothing is missed. */
  private nextWake(waiting: Waiting, until: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => waiting.wake(), Math.max(0, Math.min(this.pollMs, until - performance.now())))
      waiting.wake = () => {
        clearTimeout(timer)
        this.waiting.delete(waiting)
        resolve()
      }
      this.waiting.add(waiting)
    })
  }
}

function end(waiting: Waiting): void {
  waiting.over = true
  waiting.wake()
}
