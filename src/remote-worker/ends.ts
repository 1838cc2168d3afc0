import { NonRetryableError } from '../core/errors.ts'
import { type RunError, recordError } from '../core/failure.ts'
import { showRunId } from '../core/ids.ts'
import { type AttemptFacts, decide, type Outcome } from '../core/outcome.ts'
import { type AttemptFailure, outcomeOfFailure } from '../core/remote-worker/failure.ts'
import { AttemptLostError, RunNotFoundError } from '../core/request-errors.ts'
import type { AttemptStatus } from '../core/status.ts'
import type { Database } from '../db/client.ts'
import { attemptsOf } from '../db/reads/attempts.ts'
import type { RunRow } from '../db/rows.ts'
import { factsOfGiven } from '../executor/attempt-facts.ts'
import type { ExecutorOptions } from '../executor/options.ts'
import type { AttemptEnds } from '../executor/persist.ts'
import type { RegisteredAction } from '../executor/registry.ts'
import { encodeResult } from '../executor/result.ts'
import { afterwards } from '../executor/run-action.ts'
import type { Waits } from '../executor/wait.ts'
import type { KnownWorkers } from './known-workers.ts'
import type { AttemptName } from './leases.ts'

/** How an attempt of a remote worker ended. */
export type Ending =
  | { readonly kind: 'completed'; readonly result: unknown; readonly confirmed: boolean }
  | {
      readonly kind: 'failed'
      readonly failure: AttemptFailure
      readonly error: RunError
      readonly retryAfterMs: number | undefined
    }
  /** The worker has not said how, for longer than it may take. */
  | { readonly kind: 'overdue'; readonly timeoutMs: number }

export interface EndedRun {
  readonly run: RunRow
  /** It was said before. */
  readonly replayed: boolean
}

interface EndsParts {
  readonly db: Database
  readonly options: ExecutorOptions
  readonly waits: Waits
  readonly ends: AttemptEnds
  readonly workers: KnownWorkers
  /** Tells whoever watches. */
  readonly changed: (run: RunRow) => void
}

/** Records how the attempts of remote workers end: decided like any other, by the same function. */
export class RemoteEnds {
  private readonly parts: EndsParts
  private readonly giveUp = new AbortController()

  constructor(parts: EndsParts) {
    this.parts = parts
  }

  /** No end is written any more: the process is about to exit, and the worker says it again elsewhere. */
  stop(): void {
    this.giveUp.abort(new Error('the server stops'))
  }

  /**
   * Ends an attempt that the worker has. To say it again changes nothing and answers with the run.
   * @throws RunNotFoundError, AttemptLostError where the worker has the attempt no longer.
   */
  async end(workerId: string, { runId, attempt }: AttemptName, ending: Ending): Promise<EndedRun> {
    const run = await this.parts.waits.read(runId)
    if (!run) throw new RunNotFoundError(showRunId(runId))
    if (run.status === 'RUNNING' && run.workerId === workerId && run.attempt === attempt) {
      const ended = await this.endRunning(run, workerId, ending)
      if (ended) return { run: ended, replayed: false }
    }
    return await this.endedBefore(workerId, { runId, attempt }, ending)
  }

  /** `undefined`: it was taken from the worker in that moment. */
  async endRunning(run: RunRow, workerId: string, ending: Ending): Promise<RunRow | undefined> {
    const { ends, workers, options, db } = this.parts
    const worker = await workers.get(workerId).catch(() => undefined)
    const action = await workers.actionOf(run, worker)
    const facts = factsOfGiven(run, action, options.maxLosses, db.clock.nowMs())
    const outcome = await outcomeOf(ending, action, facts, options.maxResultBytes)
    const decision = decide(outcome, facts)
    const written = await ends.write(run, decision, this.giveUp.signal, () => {})
    if (written.kind !== 'ended') return undefined
    const now = afterwards(run, decision, written.row)
    // of a step, whoever committed its tree has told
    if (run.parentId === null) this.parts.changed(now)
    return now
  }

  private async endedBefore(workerId: string, { runId, attempt }: AttemptName, ending: Ending): Promise<EndedRun> {
    const { db, waits } = this.parts
    const [run, [attempts]] = await Promise.all([waits.read(runId), attemptsOf(db, [runId])])
    if (!run) throw new RunNotFoundError(showRunId(runId))
    const ended = attempts?.find(({ number }) => number === attempt)
    if (ended?.workerId === workerId && saysTheSame(ended.status, ended.error, ending)) return { run, replayed: true }
    throw new AttemptLostError(showRunId(runId), attempt, run.status)
  }
}

/** Whether an attempt ended as its worker says. A result that did not fit was recorded as a failure of this word. */
function saysTheSame(status: AttemptStatus, error: RunError | null, ending: Ending): boolean {
  if (status === 'LOST') return false
  if (ending.kind !== 'completed') return status !== 'SUCCEEDED'
  return status === 'SUCCEEDED' || REFUSED_RESULTS.has(error?.code ?? '')
}

const REFUSED_RESULTS: ReadonlySet<string> = new Set(['INVALID_RESULT', 'RESULT_TOO_LARGE', 'NOT_STORABLE'])

async function outcomeOf(
  ending: Ending,
  action: RegisteredAction | undefined,
  facts: AttemptFacts,
  maxResultBytes: number,
): Promise<Outcome> {
  switch (ending.kind) {
    case 'failed': {
      const { failure, error, retryAfterMs } = ending
      return outcomeOfFailure(failure, error, retryAfterMs, facts.failures >= facts.retry.maxAttempts)
    }
    case 'overdue': {
      const message = `The worker has not said within ${ending.timeoutMs} ms how the attempt ended`
      return { kind: 'unknown', error: { code: 'ATTEMPT_TIMED_OUT', message, retryable: true }, timedOut: true }
    }
    case 'completed':
      try {
        if (!action) throw new NonRetryableError('Nobody has this action any more', { code: 'ACTION_NOT_FOUND' })
        const result = await encodeResult(action, ending.result, maxResultBytes)
        return { kind: ending.confirmed ? 'confirmed' : 'returned', result }
      } catch (refused) {
        return { kind: 'threw', error: recordError(refused) }
      }
  }
}
