import type { Logger } from 'pino'
import { showRunId } from '../../core/ids.ts'
import {
  type ErrorCode,
  IdempotencyMismatchError,
  InvalidTransitionError,
  RequestError,
} from '../../core/request-errors.ts'
import { hasEnded } from '../../core/status.ts'
import { settledLinks, type WaitingLink } from '../../db/reads/links.ts'
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

/**
 * Steps that share a run with others by a business key. The two live in different buckets, so that nothing binds them but
 * messages: the submission of the run, whose id is computed, and the word that it has ended. Both are repeated by a sweep.
 */
export class LinkedRuns {
  private readonly sweeping: Loop
  private readonly watching = new Map<string, () => void>()
  private readonly executor: Executor
  private readonly log: Logger

  constructor(executor: Executor, log: Logger) {
    this.executor = executor
    this.log = log
    this.sweeping = new Loop('looking after linked runs', log, () => this.sweep())
  }

  start(): void {
    this.sweeping.wake()
  }

  async stop(): Promise<void> {
    await this.sweeping.stop()
    for (const unwatch of this.watching.values()) unwatch()
  }

  /** Submits the run that a step waits for, and looks when it changes. True: the step has heard of its end. Never rejects. */
  async follow(link: Link): Promise<boolean> {
    this.watch(link.linkedId)
    try {
      const { name, params, key, linkedId } = link
      const request = { name, params, idempotencyKey: key, waitMs: 0, runAt: null, priority: 0 }
      const { run } = await executeAction(this.executor, request, ACTOR)
      if (isKnownFailure(run, link.known)) await this.retry(run, link)
      else if (hasEnded(run.status)) {
        await this.tell(link.rowId, link.rootId, (advance, row) => linkedEnded(advance, row, run))
        return true
      } else this.watch(linkedId)
    } catch (error) {
      await this.refused(link, error)
    }
    return false
  }

  private watch(linkedId: string): void {
    if (this.watching.has(linkedId)) return
    this.watching.set(
      linkedId,
      this.executor.hub.watch(linkedId, (run) => {
        if (run === undefined || hasEnded(run.status)) this.sweeping.wake()
      }),
    )
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
    if (error instanceof RequestError && !PASSING.has(error.code))
      return this.tell(rowId, rootId, (advance, row) => {
        if (row.status !== 'WAITING' || row.linkedId !== linkedId) return
        failLinked(advance, row, logicError(error.code, error.message))
        advance.rest(row)
      })
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
    await Promise.all(links.map((link) => this.handle(link)))
    return links.length === BATCH ? 0 : options.pollMs
  }

  private unwatch(linkedId: string): void {
    this.watching.get(linkedId)?.()
    this.watching.delete(linkedId)
  }

  private async handle(link: WaitingLink): Promise<void> {
    if (await this.ask(link)) this.unwatch(link.linkedId)
  }

  /** Asks again, as the step did: so that the params are compared too, and a lost submission is made good. */
  private async ask({ id: rowId, rootId, linkedId, name, key, known }: WaitingLink): Promise<boolean> {
    const [read] = await readParams(runnerOf(this.executor.db.hot), [rowId])
    return this.follow({ rowId, rootId, linkedId, name, key, params: read?.params ?? {}, known })
  }
}
