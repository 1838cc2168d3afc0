import type { Logger } from 'pino'
import { showRunId } from '../core/ids.ts'
import { type Decision, decide } from '../core/outcome.ts'
import { runsThatWait } from '../db/callbacks.ts'
import type { Database } from '../db/client.ts'
import { byBucketAndId } from '../db/group-commit.ts'
import { runsOfWorker } from '../db/holds.ts'
import { expiredWorkers, forgetWorker } from '../db/leases.ts'
import type { RunRow } from '../db/rows.ts'
import { endAttempts, endOf } from '../db/transitions/end-attempts.ts'
import { factsOfGiven } from './attempt-facts.ts'
import type { Registry } from './registry.ts'
import type { StepEnds } from './workflow/workflows.ts'

/**
 * Ends the attempts of workers whose lease has expired, as LOST, and hands their runs on. Any number of nodes may do this
 * at once: the fence lets one of them through.
 * @returns the runs that were handed on.
 */
export async function recoverLostRuns(
  db: Database,
  registry: Registry,
  workflows: StepEnds,
  maxLosses: number,
  log: Logger,
): Promise<RunRow[]> {
  const recovered: RunRow[] = []
  for (const worker of await expiredWorkers(db)) {
    for (;;) {
      const runs = await runsOfWorker(db, worker)
      if (runs.length === 0) break
      const ended = await endAbandoned(db, registry, workflows, maxLosses, runs, 'lost')
      if (ended.length === 0) break
      log.warn({ worker, runs: ended.map(({ id }) => showRunId(id)) }, 'recovered the runs of a lost worker')
      recovered.push(...ended)
    }
    await forgetWorker(db, worker)
  }
  return recovered
}

const ERRORS = {
  lost: (worker: string | null) => ({ code: 'WORKER_LOST', message: `The worker ${worker} was lost`, retryable: true }),
  'not-started': (worker: string | null) => ({
    code: 'NOT_STARTED',
    message: `The worker ${worker} was given the run and never began it`,
    retryable: true,
  }),
}

/**
 * Ends attempts that nobody executes. Answers with the runs that were changed, as they were before.
 * @param kind whether the handlers may have done something, or are known never to have begun.
 */
export async function endAbandoned(
  db: Database,
  registry: Registry,
  workflows: StepEnds,
  maxLosses: number,
  runs: readonly RunRow[],
  kind: keyof typeof ERRORS,
): Promise<RunRow[]> {
  if (runs.length === 0) return []
  const waiting = await runsThatWait(db, runs)
  const decisionOf = (run: RunRow): Decision => {
    const facts = factsOfGiven(run, registry.get(run.name), maxLosses, db.clock.nowMs(), waiting.has(run.id))
    return decide({ kind, error: ERRORS[kind](run.workerId) }, facts)
  }
  const ends = runs.map((run) => ({ run, decision: decisionOf(run) }))
  const steps = ends.filter(({ run }) => run.parentId !== null)
  const single = ends.filter(({ run }) => run.parentId === null).map(({ run, decision }) => endOf(run, decision))
  const [endedSteps, endedSingle] = await Promise.all([
    Promise.all(steps.map(({ run, decision }) => workflows.endAttempt(run, decision, () => {}))),
    single.length > 0 ? endAttempts(db, single.sort(byBucketAndId)) : [],
  ])
  const changed = new Set([...endedSteps, ...endedSingle].flatMap((row) => row?.id ?? []))
  return runs.filter(({ id }) => changed.has(id))
}
