import { KNOWN } from '../core/effect.ts'
import { type RunError, recordError } from '../core/failure.ts'
import type { Outcome } from '../core/outcome.ts'
import { RunRevoked, WorkerStopped } from './abort.ts'
import type { Attempt } from './attempt.ts'
import type { HandlerContext } from './define-action.ts'
import { encodeResult } from './result.ts'

/**
 * The outcome of an earlier attempt was lost. `undefined`: the handler may run, for the effect did not happen, or it goes on with it.
 */
export async function askProbe(attempt: Attempt, context: HandlerContext<unknown>): Promise<Outcome | undefined> {
  const { action, run, options } = attempt
  const undecided = (error: RunError): Outcome => ({ kind: 'undecided', error })
  if (!action.probe) return undecided(recordError(new ProbeError('the action has no probe any more')))
  try {
    const verdict = await attempt.abort.race(() => action.probe?.(context))
    switch (verdict?.outcome) {
      case 'succeeded':
        return { kind: 'confirmed', result: await encodeResult(action, verdict.result, options.maxResultBytes) }
      case 'not-executed':
        if (run.failures < action.retry.maxAttempts) return undefined
        return { kind: 'exhausted', error: recordError(new ProbeError('it did not happen, and no attempts are left')) }
      case KNOWN:
        return undefined
      default:
        return undecided(recordError(new ProbeError('nobody can tell')))
    }
  } catch (thrown) {
    if (thrown instanceof RunRevoked || thrown instanceof WorkerStopped) throw thrown
    return undecided(recordError(new ProbeError('the probe failed', thrown)))
  }
}

/** What was found out about a lost outcome, where it decides nothing. */
export class ProbeError extends Error {
  readonly code = 'OUTCOME_UNKNOWN'
  constructor(found: string, cause?: unknown) {
    super(`The outcome of an attempt was lost; of its effect the probe says: ${found}`, { cause })
  }
}
