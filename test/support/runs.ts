import { parseRunId } from '../../src/core/ids.ts'
import { isSettled } from '../../src/core/status.ts'
import type { EventReason } from '../../src/core/transitions.ts'
import type { EventRow } from '../../src/db/rows.ts'
import { existingRun } from '../../src/executor/commands/execute-action.ts'
import type { Executor } from '../../src/executor/executor.ts'
import { GET_RUN, type ShownRun, type TestServer } from './server.ts'

/** The UUID behind a `run_…` that the server gave out. */
export function uuidOf(shown: string): string {
  const id = parseRunId(shown)
  if (id === undefined) throw new Error(`${shown} is no run's id`)
  return id
}

/** A run as the API shows it now. */
export async function getRun(server: TestServer, id: string): Promise<ShownRun> {
  const { run } = await server.query<{ run: ShownRun | null }>(GET_RUN, { id })
  if (!run) throw new Error(`there is no run ${id}`)
  return run
}

/** Submits an action and answers with its id as soon as it is recorded. */
export async function submit(server: TestServer, input: object): Promise<string> {
  const { run, message } = await server.execute({ waitMs: 0, ...input })
  if (!run) throw new Error(message)
  return run.id
}

/** Waits for an event of a run, read off its stream: the `times`-th one with this reason. */
export async function happened(
  { executor }: { executor: Executor },
  id: string,
  reason: EventReason,
  times = 1,
): Promise<EventRow> {
  const uuid = uuidOf(id)
  let seen = 0
  for await (const event of executor.streams.subscribe(uuid, uuid, 0))
    if (event.reason === reason && ++seen === times) return event
  throw new Error(`the run ended with ${seen} of ${times} events ${reason}`)
}

/** Waits until a run has ended, or only a person can go on with it. */
export async function settled(server: TestServer, id: string): Promise<ShownRun> {
  const uuid = uuidOf(id)
  const wait = server.executor.waits.listen(uuid)
  try {
    // a connection that a test breaks may be the one that this look goes over
    const now = await existingRun(server.executor, uuid, id)
    const then = await wait.settled(now, 20_000)
    if (!isSettled(then.status)) throw new Error(`${id} is still ${then.status}`)
  } finally {
    wait.close()
  }
  return getRun(server, id)
}

/** What one side waits for and the other side says. */
export interface Latch<T = void> {
  readonly opened: Promise<T>
  open(value: T): void
}

export function latch<T = void>(): Latch<T> {
  let open: (value: T) => void = () => {}
  const opened = new Promise<T>((resolve) => {
    open = resolve
  })
  return { opened, open: (value) => open(value) }
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason)
    else signal.addEventListener('abort', () => resolve(signal.reason), { once: true })
  })
}
