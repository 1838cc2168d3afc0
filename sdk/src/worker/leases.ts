import { now } from '../time.ts'
import type { Attempt, Beat } from './attempt.ts'
import { delayAfter } from './backoff.ts'
import type { Calls, Registered } from './calls.ts'
import type { Hand } from './hand.ts'
import { LeaseLost, RunRevoked } from './reasons.ts'
import type { RenewedLeases } from './wire.ts'

/** Between two renewals, unless the lease is about to expire. */
const GAP_MS = 1_000
/** The longest that the server waits. */
const MAX_WAIT_MS = 60_000
/** Renewals that wait at once: each watches over the attempts that came into hand before it. */
const MAX_WAITING = 3
/** Progress in one renewal: what is more goes with the next, so that no renewal is too large to be taken. */
const MAX_BEATS_BYTES = 262_144
/** Timers may fire this much early. */
const TIMER_MS = 2

export interface LeaseParts {
  readonly registered: Registered
  readonly calls: Calls
  readonly hand: Hand
  /** Aborted when the lease is not to be renewed any more. */
  readonly signal: AbortSignal
  readonly revoke: (attempt: Attempt, reason: Error) => void
  /** A renewal was answered. */
  readonly renewed: (answer: RenewedLeases) => void
  /** Told of what the renewals ride out. */
  readonly failed: (error: unknown) => void
}

/**
 * Renews the worker's lease, and with it the hold on all that is in hand. A renewal waits at the server, which answers it early
 * when an attempt is taken away: so a cancel arrives at once.
 */
export class Leases {
  readonly #parts: LeaseParts
  #leaseMs: number
  /** When the last renewal that was answered had been sent: the lease is no older. All times are of `now()`. */
  #renewedAt: number
  #sentAt: number
  #dueAt = Number.POSITIVE_INFINITY
  #notBefore = 0
  #failures = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #expiry: ReturnType<typeof setTimeout> | undefined
  /** The renewals that wait at the server. */
  readonly #waiting = new Set<object>()

  constructor(parts: LeaseParts) {
    this.#parts = parts
    this.#leaseMs = parts.registered.leaseMs
    this.#renewedAt = parts.registered.at
    this.#sentAt = parts.registered.at
    parts.signal.addEventListener('abort', () => {
      clearTimeout(this.#timer)
      clearTimeout(this.#expiry)
    })
    this.#plan(this.#sentAt + this.#third)
    this.#expireLater()
  }

  /** Whether others may have what this worker holds. */
  get expired(): boolean {
    return now() >= this.#renewedAt + this.#leaseMs
  }

  /** There is progress to send. */
  poke(): void {
    this.#planEarlier(this.#sentAt + GAP_MS)
  }

  /** An attempt has just come into hand: if it lasts, a renewal is to watch over it. */
  watch(): void {
    this.#planEarlier(now() + GAP_MS)
  }

  /** Sends what there is of an attempt's progress before its end is reported. Once: progress is a convenience. */
  async flush(attempt: Attempt): Promise<void> {
    if (attempt.beat) await this.#renew(0)
  }

  get #third(): number {
    return this.#leaseMs / 3
  }

  /**
   * When the lease is to be renewed, whatever there is to say. That one waits at the server proves nothing yet: without others in
   * between, its success would be known so late that half of the lease could not be used to ride out an outage.
   */
  get #regular(): number {
    return this.#sentAt + this.#third * (this.#waiting.size > 0 ? 0.5 : 1)
  }

  #planEarlier(at: number): void {
    const earliest = Math.max(at, this.#notBefore, now())
    if (earliest < this.#dueAt) this.#plan(earliest)
  }

  #plan(at: number): void {
    if (this.#parts.signal.aborted) return
    clearTimeout(this.#timer)
    this.#dueAt = at
    this.#timer = setTimeout(() => this.#look(), Math.max(0, at - now()))
  }

  #look(): void {
    const attempts = this.#parts.hand.all()
    const unwatched = attempts.filter((attempt) => !this.#isWatched(attempt))
    // after a failure, that the lease is renewed is to be known at once
    const mayWait = unwatched.length > 0 && this.#failures === 0 && this.#waiting.size < MAX_WAITING
    const lasting = mayWait && unwatched.some(({ since }) => since + GAP_MS <= now() + TIMER_MS)
    const due = this.#failures > 0 || this.#regular <= now() + TIMER_MS
    if (lasting || due || attempts.some(({ beat }) => beat))
      void this.#renew(mayWait ? Math.floor(Math.min(this.#third, MAX_WAIT_MS)) : 0)
    else this.#plan(this.#regular)
  }

  #isWatched({ watchedBy }: Attempt): boolean {
    return watchedBy !== undefined && this.#waiting.has(watchedBy)
  }

  async #renew(waitMs: number): Promise<void> {
    const { registered, calls, hand, signal } = this.#parts
    const renewal = {}
    const attempts = hand.all()
    const beats = takeBeats(attempts)
    const sentAt = now()
    this.#sentAt = sentAt
    if (waitMs > 0) {
      this.#waiting.add(renewal)
      for (const attempt of attempts) attempt.watchedBy = renewal
    }
    this.#plan(this.#regular)
    if (attempts.some(({ beat }) => beat)) this.poke()
    try {
      const leases = attempts.map((attempt) => ({ ...attempt.ref, ...heartbeatOf(beats.get(attempt)) }))
      const answer = await calls.renew({ workerId: registered.id, attempts: leases, waitMs }, signal)
      this.#waiting.delete(renewal)
      this.#answered(answer, attempts, sentAt)
    } catch (error) {
      this.#waiting.delete(renewal)
      if (signal.aborted) return
      for (const [attempt, beat] of beats) attempt.giveBack(beat)
      this.#notBefore = now() + delayAfter(error, ++this.#failures, this.#third / 2)
      this.#plan(this.#notBefore)
      this.#parts.failed(error)
    }
  }

  #answered(answer: RenewedLeases, listed: readonly Attempt[], sentAt: number): void {
    const { hand, revoke, renewed, signal } = this.#parts
    if (signal.aborted) return
    this.#failures = 0
    this.#notBefore = 0
    this.#leaseMs = answer.leaseMs
    this.#renewedAt = Math.max(this.#renewedAt, sentAt)
    this.#expireLater()
    const lost = new Set(answer.lost)
    // one that has ended since is lost too, and nobody's loss
    for (const attempt of listed)
      if (lost.has(attempt.claimed.runId) && hand.get(attempt.claimed.runId) === attempt)
        revoke(attempt, new RunRevoked())
    renewed(answer)
    if (hand.all().some((attempt) => !this.#isWatched(attempt))) this.poke()
  }

  #expireLater(): void {
    clearTimeout(this.#expiry)
    this.#expiry = setTimeout(() => this.#expire(), Math.max(0, this.#renewedAt + this.#leaseMs - now()))
  }

  #expire(): void {
    if (!this.expired) {
      // the timer was early
      this.#expireLater()
      return
    }
    const { hand, revoke } = this.#parts
    const reason = new LeaseLost(`it could not be renewed for ${Math.round(now() - this.#renewedAt)} ms`)
    for (const attempt of hand.all()) revoke(attempt, reason)
  }
}

function takeBeats(attempts: readonly Attempt[]): Map<Attempt, Beat> {
  const beats = new Map<Attempt, Beat>()
  let bytes = 0
  for (const attempt of attempts) {
    bytes += attempt.beat?.bytes ?? 0
    if (bytes > MAX_BEATS_BYTES) break
    const beat = attempt.takeBeat()
    if (beat) beats.set(attempt, beat)
  }
  return beats
}

function heartbeatOf(beat: Beat | undefined): { heartbeat?: unknown } {
  return beat ? { heartbeat: beat.progress } : {}
}
