import { fingerprint } from '../../core/idempotency.ts'
import { keyedRunId } from '../../core/ids.ts'
import { jsonIssues } from '../../core/json.ts'
import {
  ActionNotFoundError,
  InvalidInputError,
  InvalidParamsError,
  PayloadTooLargeError,
} from '../../core/request-errors.ts'
import type { Executor } from '../executor.ts'
import { whileUnavailable } from '../submissions.ts'
import type { ActionRequest, Executed } from './execution.ts'

/** What the same request may have passed before: another version of the action, another limit, a `runAt` not yet past. */
const FOR_NOW = [ActionNotFoundError, InvalidParamsError, PayloadTooLargeError, InvalidInputError]

/**
 * The run that the request's key and params name already, though they are refused now; `undefined` where there is none. A
 * refusal says that nothing was recorded: to a caller who repeats what was executed, that would be false.
 */
export async function recordedEarlier(
  { waits, options }: Executor,
  { name, params, idempotencyKey }: ActionRequest,
  waitMs: number,
  refused: unknown,
): Promise<Executed | undefined> {
  if (idempotencyKey === null || !FOR_NOW.some((kind) => refused instanceof kind)) return undefined
  if (jsonIssues(params).length > 0) return undefined
  const id = keyedRunId('ACTION', name, idempotencyKey)
  const wait = waits.listen(id)
  try {
    const run = await whileUnavailable(options.unavailableMs, () => waits.read(id))
    if (!run?.fingerprint.equals(fingerprint(params))) return undefined
    return { run: await wait.settled(run, waitMs), replayed: true }
  } finally {
    wait.close()
  }
}
