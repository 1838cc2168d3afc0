import type { Logger } from 'pino'
import { showRunId } from '../../core/ids.ts'
import {
  type ErrorCode,
  IdempotencyMismatchError,
  InvalidTransitionError,
  RequestError,
} from '../../core/request-errors.ts'
import { hasEnded } from '../../core/status.ts'
import { settledLinks, type WaitingLink, waitingStill } from '../../db/reads/links.ts'
import type { RunRow } from '../../db/rows.ts'
import { readParams } from '../../db/tree/read-tree.ts'
import { runnerOf } from '../../db/tree/statement-runner.ts'
import { executeAction } from '../commands/execute-action.ts'
import { retryRun } from '../commands/retry-run.ts'
import type { Executor } from '../executor.ts'
import { Loop } from '../loop.ts'
import type { Advance, Link } from './advance.ts'
import { failLinked, isKnownFailure, linkedEnded, linkedMismatch } from './shared-work.ts'
import { logicError } from './step-errors.ts'

const BATCH = 500
/** Refusals that time may lift: a full queue, a database that is away, an action that another node has registered. */
const PASSING = new Set<ErrorCode>(['SERVICE_UNAVAILABLE', 'RATE_LIMITED', 'ACTION_NOT_FOUND'])

/** Recorded with what the server submits for a step. */
const ACTOR = 'workflow'

/** A step that waits, as far as this node knows, and the run whose end it is to hear of. */
interface Watch {
  readonly rowId: string
  readonly linkedId: string
  readonly unwatch: () => void
}

/**
 * Steps that share a run with others by a business key. The two live in different buckets, so that nothing binds them but
 * messages: the submission of the run, whose id is computed, and the word that it has ended. Both are repeated by a sweep.
 */
export class LinkedRuns {
  private readonly sweeping: Loop
  private readonly forgetting: Loop
  /** By the step: the one that was looked at the longest ago comes first. */
  private readonly watching = new Map<string, Watch>()
  private readonly executor: Executor
  private readonly log: Logger

  constructor(executor: Executor, log: Logger) {
    this.executor = executor
    this.log = log
    this.sweeping = new Loop('looking after linked runs', log, () => this.sweep())
    this.forgetting = new Loop('forgetting linked runs', log, () => this.forget())
  }

  start(): void {
    this.sweeping.wake()
    this.forgetting.wake()
  }

  async stop(): Promise<void> {
    await Promise.all([this.sweeping.stop(), this.forgetting.stop()])
    for (const { unwatch } of this.watching.values()) unwatch()
  }

  /** Submits the run that a step waits for, and looks when it changes, until the step hears of its end. Never rejects. */
  async follow(link: Link): Promise<void> {
    // before it is submitted, so that no end is missed
    const watch = this.watch(link)
    try {
      const { name, params, key } = link
      const request = { name, params, idempotencyKey: key, waitMs: 0, runAt: null, priority: 0 }
      const { run } = await executeAction(this.executor, request, ACTOR)
      if (isKnownFailure(run, link.known)) await this.retry(run, link)
      else if (hasEnded(run.status)) {
        this.drop(watch)
        await this.tell(link.rowId, link.rootId, (advance, row) => linkedEnded(advance, row, run))
      }
    } catch (error) {
      if (!mayPass(error)) this.drop(watch)
      await this.refused(link, error).catch((untold) => this.putOff(untold))
    }
  }

  private watch({ rowId, linkedId }: Link): Watch {
    this.watching.get(rowId)?.unwatch()
    const unwatch = this.executor.hub.watch(linkedId, (run) => {
      if (run === undefined || hasEnded(run.status)) this.sweeping.wake()
    })
    const watch = { rowId, linkedId, unwatch }
    this.watching.set(rowId, watch)
    return watch
  }

  /** The step may wait anew by now: what it listens with then stays. */
  private drop(watch: Watch): void {
    watch.unwatch()
    if (this.watching.get(watch.rowId) === watch) this.watching.delete(watch.rowId)
  }

  /**
   * A step that waits no longer need not have heard of an end from here: it was canceled, or another node was first. A turn looks
   * at some of them only, so that many that wait for long cost it no more.
   */
  private async forget(): Promise<number> {
    const { db, options } = this.executor
    const some = [...this.watching.values()].slice(0, BATCH)
    const waiting = some.length > 0 ? await waitingStill(db, some) : new Set()
    for (const watch of some)
      if (waiting.has(watch.rowId)) this.putLast(watch)
      else this.drop(watch)
    return options.pollMs
  }

  private putLast(watch: Watch): void {
    if (this.watching.get(watch.rowId) !== watch) return
    this.watching.delete(watch.rowId)
    this.watching.set(watch.rowId, watch)
  }

  private async retry({ id }: RunRow, { rowId, known }: Link): Promise<void> {
    const step = showRunId(rowId)
    const request = { id: showRunId(id), reason: `a step that shares it was retried: ${step}`, step: null }
    // whoever finds the same failure again, late, must not retry what has failed since
    const idempotencyKey = `${step} after ${known}`
    await retryRun(this.executor, { ...request, params: undefined, newKey: false, idempotencyKey }, ACTOR).catch(
      (error) => {
        // somebody else was first
        if (!(error instanceof InvalidTransitionError)) throw error
      },
    )
  }

  private async refused({ rowId, rootId, linkedId }: Link, error: unknown): Promise<void> {
    if (error instanceof IdempotencyMismatchError)
      return this.tell(rowId, rootId, (advance, row) => linkedMismatch(advance, row, linkedId))
    if (error instanceof RequestError && !mayPass(error))
      return this.tell(rowId, rootId, (advance, row) => {
        if (row.status !== 'WAITING' || row.linkedId !== linkedId) return
        failLinked(advance, row, logicError(error.code, error.message))
        advance.rest(row)
      })
    this.putOff(error)
  }

  private putOff(error: unknown): void {
    this.log.warn({ err: error }, 'the run that a step waits for was not submitted; it is tried again')
  }

  private async tell(
    rowId: string,
    rootId: string,
    apply: (advance: Advance, row: Parameters<typeof linkedEnded>[1]) => void,
  ): Promise<void> {
    await this.executor.workflows.commits.submit({
      rootId,
      rows: () => [rowId],
      apply(advance) {
        const row = advance.tree.find(rowId)
        if (row) apply(advance, row)
      },
    })
  }

  private async sweep(): Promise<number> {
    const { db, options } = this.executor
    const links = await settledLinks(db, BATCH)
    await Promise.all(links.map((link) => this.ask(link)))
    return links.length === BATCH ? 0 : options.pollMs
  }

  /** Asks again, as the step did: so that the params are compared too, and a lost submission is made good. */
  private async ask({ id: rowId, rootId, linkedId, name, key, known }: WaitingLink): Promise<void> {
    const [read] = await readParams(runnerOf(this.executor.db.hot), [rowId])
    await this.follow({ rowId, rootId, linkedId, name, key, params: read?.params ?? {}, known })
  }
}

/** Whether the step goes on waiting although its run was not submitted. */
function mayPass(error: unknown): boolean {
  if (error instanceof IdempotencyMismatchError) return false
  return !(error instanceof RequestError) || PASSING.has(error.code)
}
