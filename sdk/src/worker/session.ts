import { DoError } from '../errors.ts'
import { sleep } from '../time.ts'
import { Attempt } from './attempt.ts'
import type { Calls, Registered } from './calls.ts'
import { Claims } from './claims.ts'
import type { ServedAction } from './configure.ts'
import { execute } from './execute.ts'
import { failureReport } from './failure.ts'
import { Hand } from './hand.ts'
import { Leases } from './leases.ts'
import type { WorkerPhase } from './options.ts'
import { LeaseLost, RunRevoked, WorkerStopped } from './reasons.ts'
import { deliver } from './report.ts'
import type { AttemptRef, ClaimedRun, RenewedLeases, Report } from './wire.ts'

/** What is left after functions were cut by a stop: for unsafe ones to settle, and to report all. */
const LAST_REPORTS_MS = 5_000
/** Nothing that this worker does helps against these: its key is refused. */
const FINAL: ReadonlySet<string> = new Set(['UNAUTHENTICATED', 'PERMISSION_DENIED'])

export type Tell = (error: unknown, phase: WorkerPhase, runId?: string) => void

/** What a worker does, whoever it is registered as. */
export interface SessionParts {
  readonly calls: Calls
  readonly actions: ReadonlyMap<string, ServedAction>
  readonly concurrency: number
  readonly tell: Tell
}

/** What a worker does from one registration until that is over: claims, executes, renews and reports. */
export class Session {
  readonly id: string
  /** Resolves when the lease is lost or the session was closed; rejects with the `DoError` that refuses the key. */
  readonly over: Promise<void>
  readonly #parts: SessionParts
  readonly #hand: Hand
  readonly #claims: Claims
  readonly #leases: Leases
  readonly #noClaims = new AbortController()
  readonly #ended = new AbortController()
  #resolve: () => void = () => {}
  #reject: (error: unknown) => void = () => {}

  constructor(parts: SessionParts, registered: Registered) {
    const { calls, actions, concurrency } = parts
    this.id = registered.id
    this.#parts = parts
    this.over = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    const hand = new Hand(actions, concurrency)
    this.#hand = hand
    this.#leases = new Leases({
      registered,
      calls,
      hand,
      signal: this.#ended.signal,
      revoke: (attempt, reason) => this.#revoke(attempt, reason),
      renewed: (answer) => this.#renewed(answer),
      failed: (error) => this.#failed(error, 'renew'),
    })
    this.#claims = new Claims({
      workerId: registered.id,
      calls,
      hand,
      signal: this.#noClaims.signal,
      mayClaim: () => !this.#leases.expired,
      begin: (run) => this.#begin(run),
      failed: (error) => this.#failed(error, 'claim'),
    })
    this.#claims.ask()
  }

  /**
   * Claims nothing more, lets functions finish for so long, cuts the others, reports, and ends the session. Never rejects.
   * @returns what was begun, and is not reported.
   */
  async close(shutdownMs: number): Promise<AttemptRef[]> {
    this.#noClaims.abort()
    await this.#emptyWithin(shutdownMs)
    for (const attempt of this.#hand.all()) attempt.cut(new WorkerStopped())
    await this.#emptyWithin(LAST_REPORTS_MS)
    const holding = this.#hand.refs()
    this.#end(new WorkerStopped())
    this.#resolve()
    return holding
  }

  async #emptyWithin(ms: number): Promise<void> {
    const empty = new AbortController()
    this.#hand.whenEmpty().then(() => empty.abort())
    await sleep(ms, empty.signal)
  }

  #begin(run: ClaimedRun): void {
    const known = this.#hand.get(run.runId)
    if (this.#noClaims.signal.aborted || (known && known.claimed.attempt >= run.attempt)) return
    // that there is a later attempt says that the earlier one was lost
    if (known) this.#revoke(known, new RunRevoked())
    const action = this.#parts.actions.get(run.name)
    const room = this.#hand.hasRoomFor(run.name)
    const attempt = new Attempt(run, () => this.#leases.poke())
    this.#hand.take(attempt)
    this.#leases.watch()
    void this.#see(attempt, action && room ? action : undefined)
  }

  /** Sees an attempt through. Without an action it is given back: there is no slot for it. */
  async #see(attempt: Attempt, action: ServedAction | undefined): Promise<void> {
    const { calls, tell } = this.#parts
    const { runId } = attempt.claimed
    const report = action
      ? await execute(attempt, action, (error, phase) => attempt.revoked.aborted || tell(error, phase, runId))
      : NOT_STARTED
    if (attempt.beat && !attempt.revoked.aborted) await this.#leases.flush(attempt)
    await deliver(calls, this.id, attempt, report, (error) => this.#failed(error, 'report', runId))
    this.#drop(attempt)
  }

  #drop(attempt: Attempt): void {
    if (this.#hand.drop(attempt)) this.#claims.dropped(attempt.claimed.runId, attempt.claimed.attempt)
  }

  /** Its slot is free at once, whatever the function still does. */
  #revoke(attempt: Attempt, reason: Error): void {
    attempt.revoke(reason)
    this.#drop(attempt)
  }

  #renewed({ missed }: RenewedLeases): void {
    if (missed) this.#claims.missed()
    else this.#claims.ask()
  }

  #failed(error: unknown, phase: WorkerPhase, runId?: string): void {
    if (this.#ended.signal.aborted) return
    this.#parts.tell(error, phase, runId)
    if (!(error instanceof DoError)) return
    if (error.code === 'WORKER_NOT_FOUND') {
      this.#end(new LeaseLost('the server does not know the worker any more'))
      this.#resolve()
    } else if (FINAL.has(error.code)) {
      this.#end(new LeaseLost('the key of the worker is refused'))
      this.#reject(error)
    }
  }

  #end(reason: Error): void {
    this.#noClaims.abort()
    this.#ended.abort()
    for (const attempt of this.#hand.all()) this.#revoke(attempt, reason)
  }
}

const NOT_STARTED: Report = {
  ...failureReport(
    Object.assign(new Error('The worker was given more than it has slots for'), { code: 'NOT_STARTED' }),
  ),
  failure: 'NOT_STARTED',
}
