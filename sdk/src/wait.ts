import { GET_RUN } from './documents.ts'
import { DoError } from './errors.ts'
import { foundRun, isSettled } from './outcome.ts'
import { now, sleep, within } from './time.ts'
import type { Transport } from './transport.ts'
import type { Run, RunEvent } from './types.ts'
import { watchRun } from './watch.ts'

/** How long the events alone are trusted: a proxy that holds streams back delays an outcome by no more than this. */
const LOOK_AGAIN_MS = 15_000
/** Between two looks at a run whose stream is over though it has no outcome, as a step has that will never start. */
const PAUSE_MS = 1_000

/** What one look may take, even when the time to wait is shorter or over: there is an answer to give. */
const LOOK_MS = 5_000

/** Reads a run. Throws a `DoError`, `RUN_NOT_FOUND` when there is none. */
export async function readRun<R>(
  transport: Transport,
  id: string,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<Run<R>> {
  const operation = { document: GET_RUN, variables: () => ({ id }), serverWaits: () => 0 }
  const run = foundRun<R>(await transport.request(operation, { deadline, signal }))
  if (!run) throw new DoError('RUN_NOT_FOUND', `there is no run ${id}`, { runId: id })
  return run
}

/** The run when it has an outcome, or as it stands when `timeout` milliseconds have gone by. Throws a `DoError`. */
export async function waitForRun<R>(
  transport: Transport,
  id: string,
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<Run<R>> {
  const until = now() + timeout
  for (;;) {
    const run = await readRun<R>(transport, id, Math.max(until, now() + LOOK_MS), signal)
    const left = until - now()
    if (isSettled(run.status) || left <= 0) return run
    const events = watchRun(transport, id, run.lastSeq, signal)
    const over = await outcomeAmong(events, id, Math.min(left, LOOK_AGAIN_MS))
    if (over) await sleep(Math.min(PAUSE_MS, until - now()), signal)
  }
}

/** Whether the stream ended without an outcome; false when there was one, or `ms` have gone by. */
async function outcomeAmong(events: AsyncIterableIterator<RunEvent>, id: string, ms: number): Promise<boolean> {
  const until = now() + ms
  const elapsed = new DoError('TIMEOUT', 'look again')
  try {
    for (;;) {
      const next = await within(events.next(), until - now(), undefined, () => elapsed)
      if (next.done) return true
      if (next.value.runId === id && isSettled(next.value.to)) return false
    }
  } catch (error) {
    if (error !== elapsed) throw error
    return false
  } finally {
    await events.return?.()
  }
}
