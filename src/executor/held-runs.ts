import type { Logger } from 'pino'
import { showRunId } from '../core/ids.ts'
import type { Database } from '../db/client.ts'
import { dropHolds, runsHeldBy } from '../db/holds.ts'
import { runsByIds } from '../db/reads/runs.ts'
import type { RunRow } from '../db/rows.ts'
import { RunRevoked } from './abort.ts'
import type { Executions } from './executions.ts'
import { endAbandoned } from './recover-lost-runs.ts'
import type { Registry } from './registry.ts'
import type { StepEnds } from './workflow/workflows.ts'

/**
 * Compares what the database says that a worker holds with what it executes. What it executes and does not hold is aborted.
 * What it holds and does not execute, although every claim, submission and commit that could still bring it has been answered, came
 * with an answer that was lost on the way: it is handed on.
 */
export class HeldRuns {
  /** Claims begun and ended so far. */
  readonly claims = { begun: 0, ended: 0 }
  /** What is held and not executed, with the claim that may yet bring it. */
  private strays = new Map<string, number>()
  /** Executed here, and the end could not be recorded: what their handlers did is not known. */
  private readonly unrecorded = new Set<string>()
  private readonly db: Database
  private readonly registry: Registry
  private readonly workflows: StepEnds
  private readonly executions: Executions
  private readonly maxLosses: number
  private readonly isSubmitting: (runId: string) => boolean
  private readonly log: Logger

  constructor(
    db: Database,
    registry: Registry,
    workflows: StepEnds,
    executions: Executions,
    maxLosses: number,
    isSubmitting: (runId: string) => boolean,
    log: Logger,
  ) {
    this.db = db
    this.registry = registry
    this.workflows = workflows
    this.executions = executions
    this.maxLosses = maxLosses
    this.isSubmitting = isSubmitting
    this.log = log
  }

  /** A run may have been taken away from this worker: its handler is told. */
  async verify(runIds: readonly string[]): Promise<void> {
    const mine = runIds.flatMap((id) => this.executions.get(id) ?? [])
    if (mine.length === 0) return
    const rows = await runsByIds(
      this.db,
      mine.map(({ run }) => run.id),
    )
    mine.forEach(({ run, abort }, i) => {
      const row = rows[i]
      if (row?.status !== 'RUNNING' || row.fence !== run.fence) abort.abort(new RunRevoked())
    })
  }

  /** Remembers a run whose handler ran and whose end could not be recorded. */
  notRecorded(runId: string): void {
    this.unrecorded.add(runId)
  }

  /** Answers with the runs that were handed on. */
  async reconcile(workerId: string): Promise<RunRow[]> {
    const before = this.executions.current()
    await dropHolds(this.db, workerId)
    const held = new Map((await runsHeldBy(this.db, workerId)).map(({ id, fence }) => [id, fence]))
    await this.verify(before.filter(({ run }) => held.get(run.id) !== run.fence).map(({ run }) => run.id))
    const unknown = [...held.keys()].filter((id) => !this.executions.has(id) && !this.isSubmitting(id))
    const strays = unknown.map((id) => [id, this.strays.get(id) ?? this.claims.begun] as const)
    const sure = strays.filter(([id, claim]) => this.strays.has(id) && this.claims.ended >= claim)
    this.strays = new Map(strays)
    return sure.length === 0
      ? []
      : this.handOn(
          workerId,
          sure.map(([id]) => id),
        )
  }

  /** Gives runs back that this worker holds and does not execute. */
  async handOn(workerId: string, ids: readonly string[]): Promise<RunRow[]> {
    const rows = (await runsByIds(this.db, ids)).flatMap((row) => row ?? [])
    const stray = rows.filter((row) => row.workerId === workerId && !this.executions.has(row.id))
    const executed = stray.filter(({ id }) => this.unrecorded.has(id))
    const unbegun = stray.filter(({ id }) => !this.unrecorded.has(id))
    const { db, registry, workflows, maxLosses } = this
    const ended = [
      ...(await endAbandoned(db, registry, workflows, maxLosses, unbegun, 'not-started')),
      ...(await endAbandoned(db, registry, workflows, maxLosses, executed, 'lost')),
    ]
    for (const { id } of ended) this.unrecorded.delete(id)
    if (ended.length > 0)
      this.log.warn({ runs: ended.map(({ id }) => showRunId(id)) }, 'handed on what was held without being executed')
    return ended
  }
}
