import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { groupBy } from '../../src/core/group-by.ts'
import { InvalidTransitionError } from '../../src/core/request-errors.ts'
import { cancelRun } from '../../src/executor/commands/cancel-run.ts'
import { executeAction } from '../../src/executor/commands/execute-action.ts'
import type { Executor } from '../../src/executor/executor.ts'
import { endAbandoned } from '../../src/executor/recover-lost-runs.ts'
import { type Action, action, NonRetryableError, type TransactionalContext } from '../../src/index.ts'
import { createNotes, notesIn } from '../support/notes.ts'
import { aborted, uuidOf } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'

/** 2,000 as a rule, which takes a quarter of a minute; IDEMPOTENCY_FULL=1 makes it all 10,000. */
const RUNS = process.env.IDEMPOTENCY_FULL === '1' ? 10_000 : 2_000
/** More than the connections that handlers share. */
const AT_ONCE = 16
const TIMEOUT_MS = 150

type Context = TransactionalContext<unknown>

/** What comes from outside, at a random moment of the next few milliseconds. */
type Disturb = (what: () => Promise<unknown>) => void

/** How an attempt may end once it has written. What is cut from outside may win the race, and succeed. */
const ENDS = {
  returns: () => 'done',
  throws: () => Promise.reject(new Error('broke')),
  'fails for good': () => Promise.reject(new NonRetryableError('declined')),
  'times out': ({ signal }) => aborted(signal),
  'returns what does not match its schema': () => 7,
  'returns what cannot be stored': () => '\u0000',
  'breaks a constraint': ({ tx }) => write(tx, null),
  'swallows a broken constraint': ({ tx }) => write(tx, null).catch(() => 'done'),
  'leaves a query behind': ({ tx }) => {
    write(tx, 'left behind').catch(() => {})
    throw new Error('broke')
  },
  'is canceled': ({ runId }, disturb, executor) => {
    disturb(() => cancel(executor, runId))
    return briefly()
  },
  'is taken by another worker': ({ runId }, disturb, executor) => {
    disturb(() => takeAway(executor, uuidOf(runId)))
    return briefly()
  },
  'loses its connection': async ({ tx }, disturb, { db }) => {
    const [row] = await tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)
    disturb(() => db.reads`select pg_terminate_backend(${row?.pid ?? 0})`)
    return briefly()
  },
} satisfies { [end: string]: (context: Context, disturb: Disturb, executor: Executor) => unknown }

type End = keyof typeof ENDS

test(`33: a transactional action's row exists if and only if its run succeeded, over ${RUNS} random aborts`, {
  timeout: 600_000,
}, async () => {
  const disturbances: Promise<unknown>[] = []
  const faults: unknown[] = []
  const disturb: Disturb = (what) =>
    void disturbances.push(
      briefly()
        .then(what)
        .catch((fault) => faults.push(fault)),
    )
  const seen = new Map<End, number>()
  const draw = (): End => {
    const end = NAMES[Math.floor(Math.random() * NAMES.length)] ?? 'returns'
    seen.set(end, (seen.get(end) ?? 0) + 1)
    return end
  }
  const server = await startTestServer(
    [writer((context) => ENDS[draw()](context, disturb, server.executor) as Promise<string>)],
    { migrate: createNotes, leaseMs: 600_000, concurrency: AT_ONCE, logLevel: 'silent' },
  )

  const { executor } = server
  let begun = 0
  const lane = async () => {
    while (begun++ < RUNS) await executeAction(executor, REQUEST, 'test')
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  await Promise.all(disturbances)

  const runs = await executor.db.reads<{ id: string; status: string }[]>`select id, status from action_do.runs`
  const byStatus = groupBy(runs, ({ status }) => status)
  // exactly one row for each that succeeded, none for any other
  const succeeded = (byStatus.get('SUCCEEDED') ?? []).map(({ id }) => id)
  expect((await notesIn(server)).map(uuidOf).sort()).toEqual(succeeded.sort())
  expect(faults).toEqual([])
  // and it was as random as it claims
  expect(runs).toHaveLength(RUNS)
  expect([...byStatus.keys()].sort()).toEqual(['CANCELED', 'FAILED', 'SUCCEEDED'])
  // a cancel comes in time only where it overtakes the end of the attempt
  for (const [status, { length }] of byStatus) expect(length, status).toBeGreaterThan(RUNS / 500)
  for (const end of NAMES) expect(seen.get(end), end).toBeGreaterThan(RUNS / 100)
})

const NAMES = Object.keys(ENDS) as End[]
const REQUEST = { name: 'write', params: {}, idempotencyKey: null, waitMs: 60_000, runAt: null, priority: 0 }

/** Writes its row, perhaps in a nested transaction, and ends as it is told; a second attempt is told anew. */
function writer(end: (context: Context) => Promise<string>): Action {
  return action('write', {
    effect: 'transactional',
    timeoutMs: TIMEOUT_MS,
    result: z.string(),
    retry: { maxAttempts: 2, backoff: { initialMs: 0, factor: 1, maxMs: 0, jitter: false } },
    run: async (context) => {
      const { tx, runId } = context
      if (Math.random() < 0.3) await tx.transaction((inner) => write(inner, runId))
      else await write(tx, runId)
      return end(context)
    },
  })
}

async function write(tx: Pick<Context['tx'], 'execute'>, text: string | null): Promise<void> {
  await tx.execute(sql`insert into notes (text) values (${text})`)
}

async function briefly(): Promise<string> {
  await sleep(Math.random() * 4)
  return 'done'
}

async function cancel(executor: Executor, id: string): Promise<void> {
  try {
    await cancelRun(executor, { id, reason: null, idempotencyKey: null }, 'test')
  } catch (error) {
    // it had ended already
    if (!(error instanceof InvalidTransitionError)) throw error
  }
}

/** What the recovery does when the worker's lease has expired. */
async function takeAway(executor: Executor, id: string): Promise<void> {
  const run = await executor.waits.read(id)
  if (run?.status !== 'RUNNING') return
  for (const lost of await endAbandoned(executor.db, executor.registry, executor.workflows, 1_000, [run], 'lost'))
    executor.queued(lost.name)
}
