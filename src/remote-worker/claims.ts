import type { Handed } from './hand-over.ts'

/** One request for runs that waits. */
interface Waiting {
  readonly names: ReadonlySet<string>
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
 * takes as many as it may wakes the next, for there may be more.
 */
export class Claims {
  private readonly waiting = new Set<Waiting>()
  /** The request under way of each worker. */
  private readonly underWay = new Map<string, { readonly waiting: Waiting; readonly ended: Promise<unknown> }>()
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
    const { workerId, names, signal } = request
    await this.release(workerId)
    const waiting: Waiting = { names: new Set(names), wake() {}, over: false }
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
    const until = performance.now() + request.waitMs
    try {
      for (;;) {
        if (this.stopped || waiting.over || request.signal?.aborted) return []
        const woken = this.nextWake(waiting, until)
        const handed = await this.take(request)
        if (handed.length === request.limit) this.wake(request.names)
        if (handed.length > 0 || performance.now() >= until) return handed
        await woken
      }
    } finally {
      waiting.wake()
    }
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
