import { now } from '../time.ts'
import { delayAfter } from './backoff.ts'
import type { Calls } from './calls.ts'
import type { Hand } from './hand.ts'
import type { ClaimedRun } from './wire.ts'

/** How long the server may hold a claim until there is something to do. */
const WAIT_MS = 30_000
/** After an empty answer that came early: the server could not wait. Doubles while it stays so. */
const FIRST_PAUSE_MS = 250
const MAX_PAUSE_MS = 5_000
/** A claim and the one that takes its place. */
const MAX_CLAIMS = 2

const MAX_LIMIT = 1_000

/** A claim that is under way. */
interface Claim {
  readonly names: ReadonlySet<string>
  readonly limit: number
  /** How many answers had been lost when it was sent. */
  readonly losses: number
  readonly waitMs: number
}

export interface ClaimParts {
  readonly workerId: string
  readonly calls: Calls
  readonly hand: Hand
  /** Aborted when no more is to be claimed. */
  readonly signal: AbortSignal
  /** False while the lease may have expired. */
  readonly mayClaim: () => boolean
  readonly begin: (run: ClaimedRun) => void
  /** Told of what the claims ride out. */
  readonly failed: (error: unknown) => void
}

/**
 * Asks for runs while there are free slots, with one claim that waits at the server. Another takes its place where an action gets
 * free that it does not ask for: the server then answers the first with none.
 */
export class Claims {
  readonly #parts: ClaimParts
  #current: Claim | undefined
  #underWay = 0
  /** Answers that did not come, and how many of them a later answer has made good: what they brought comes again. */
  #losses = 0
  #madeGood = 0
  #failures = 0
  #early = 0
  /** The last answer brought as many as it might. */
  #full = false
  #pause: ReturnType<typeof setTimeout> | undefined
  /** What was dropped while a claim was under way that may bring it again. */
  #dropped: Set<string> | undefined

  constructor(parts: ClaimParts) {
    this.#parts = parts
    parts.signal.addEventListener('abort', () => clearTimeout(this.#pause))
  }

  /** Asks, where there is a reason to. */
  ask(): void {
    const { hand, signal, mayClaim } = this.#parts
    if (signal.aborted || this.#pause || this.#underWay >= MAX_CLAIMS || hand.free === 0 || !mayClaim()) return
    const open = hand.open()
    if (open.size > 0 && !this.#covers(open.keys())) void this.#claim(this.#nextClaim(open))
  }

  /** The server says that the worker holds runs that it knows nothing of. */
  missed(): void {
    this.#losses++
    this.ask()
  }

  /** An attempt is not in hand any more. */
  dropped(runId: string, attempt: number): void {
    this.#dropped?.add(`${runId} ${attempt}`)
    this.ask()
  }

  #covers(names: Iterable<string>): boolean {
    const current = this.#current
    if (!current || (this.#mustMakeGood && current.losses < this.#losses)) return false
    for (const name of names) if (!current.names.has(name)) return false
    return true
  }

  get #mustMakeGood(): boolean {
    return this.#losses > this.#madeGood
  }

  /**
   * A limit counts for all names together. So a claim for all asks for no more than the action with the fewest slots of its own
   * could take. Where that was not enough, one for the others follows, which does not wait.
   */
  #nextClaim(open: ReadonlyMap<string, number>): Claim {
    const free = Math.min(this.#parts.hand.free, MAX_LIMIT)
    const losses = this.#losses
    const roomy = [...open].filter(([, slots]) => slots >= free).map(([name]) => name)
    const wide = this.#full && !this.#mustMakeGood && roomy.length > 0 && roomy.length < open.size
    this.#full = false
    if (wide) return { names: new Set(roomy), limit: free, losses, waitMs: 0 }
    // what was lost is there at once, and a short claim has little to remember
    const waitMs = this.#mustMakeGood ? 0 : WAIT_MS
    return { names: new Set(open.keys()), limit: Math.min(free, ...open.values()), losses, waitMs }
  }

  async #claim(claim: Claim): Promise<void> {
    const { workerId, calls, hand, signal } = this.#parts
    const { limit, waitMs } = claim
    const making = this.#mustMakeGood
    if (making) this.#dropped ??= new Set()
    const input = { workerId, names: [...claim.names], limit, waitMs, ...(making && { holding: hand.refs() }) }
    this.#current = claim
    this.#underWay++
    const askedAt = now()
    try {
      const runs = await calls.claim(input, signal)
      // one that is full may not have brought all that was lost
      if (making && runs.length < limit) this.#madeGood = Math.max(this.#madeGood, claim.losses)
      this.#failures = 0
      this.#answered(claim, runs, now() - askedAt >= waitMs * 0.9)
    } catch (error) {
      this.#lost(error)
    } finally {
      this.#underWay--
      if (this.#current === claim) this.#current = undefined
      if (!this.#mustMakeGood) this.#dropped = undefined
      this.ask()
    }
  }

  #answered(claim: Claim, runs: readonly ClaimedRun[], inTime: boolean): void {
    for (const run of runs) if (!this.#dropped?.has(`${run.runId} ${run.attempt}`)) this.#parts.begin(run)
    this.#full = runs.length >= claim.limit && claim.waitMs > 0
    if (runs.length > 0 || inTime) this.#early = 0
    // one whose place was taken is answered early, and should be
    else if (this.#current === claim) this.#rest(Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#early++))
  }

  #lost(error: unknown): void {
    if (this.#parts.signal.aborted) return
    this.#losses++
    this.#rest(delayAfter(error, ++this.#failures))
    this.#parts.failed(error)
  }

  #rest(ms: number): void {
    clearTimeout(this.#pause)
    this.#pause = setTimeout(() => {
      this.#pause = undefined
      this.ask()
    }, ms)
  }
}
