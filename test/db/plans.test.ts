import { randomUUID } from 'node:crypto'
import { PgDialect } from 'drizzle-orm/pg-core'
import type { Sql } from 'postgres'
import { beforeAll, expect, test } from 'vitest'
import { bucketOf } from '../../src/core/ids.ts'
import { connect, type Database, MIN_CONNECTIONS, type UserTransaction } from '../../src/db/client.ts'
import { dropHolds, runsHeldBy, runsOfWorker } from '../../src/db/holds.ts'
import { expiredWorkers } from '../../src/db/leases.ts'
import { attemptsOf } from '../../src/db/reads/attempts.ts'
import { eventPages, streamPages } from '../../src/db/reads/events.ts'
import { waitingStill } from '../../src/db/reads/links.ts'
import { millisecondsUntilNextDue } from '../../src/db/reads/next-due.ts'
import { queueDepths, runsByIds } from '../../src/db/reads/runs.ts'
import { stepsOf } from '../../src/db/reads/steps.ts'
import { dueTreeWork, queuedSteps } from '../../src/db/reads/tree-work.ts'
import { forgetChanges } from '../../src/db/recent-changes.ts'
import { attemptsHeldBy, oldRemoteAttempts } from '../../src/db/remote-workers.ts'
import { claimRuns } from '../../src/db/transitions/claim-runs.ts'
import { endAttemptIn, endAttempts } from '../../src/db/transitions/end-attempts.ts'
import { enqueueDueRuns } from '../../src/db/transitions/enqueue-due-runs.ts'
import { recordHeartbeats } from '../../src/db/transitions/record-heartbeats.ts'
import { submitRuns } from '../../src/db/transitions/submit-runs.ts'
import { findCommand } from '../../src/db/tree/commands.ts'
import { lockTrees } from '../../src/db/tree/lock-trees.ts'
import { readAttemptsSince } from '../../src/db/tree/read-attempts.ts'
import { readChildren, readIterations, readOutcomes, readParams, readTreeRows } from '../../src/db/tree/read-tree.ts'
import { keepSignal, stepsWaitingFor, takeSignal } from '../../src/db/tree/signals.ts'
import { runnerOf } from '../../src/db/tree/statement-runner.ts'
import type { TreeRow } from '../../src/db/tree/tree-row.ts'
import { writeTrees } from '../../src/db/tree/write-trees.ts'
import { testDatabase } from '../support/database.ts'
import { anEnd, newRun } from './support.ts'

const RUNS = 20_000

/** A node of a plan, as far as it matters here. */
interface Node {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Index Cond'?: string
  'TID Cond'?: string
  Plans?: Node[]
}

interface Captured {
  readonly text: string
  readonly params: readonly unknown[]
}

let databaseUrl = ''
/** The first column of each index. */
const leading = new Map<string, string>()

// statistics that say that everything is empty, and tables that are not
beforeAll(async () => {
  databaseUrl = await testDatabase()
  const db = connect(databaseUrl, MIN_CONNECTIONS)
  await keepStatistics(db)
  await fill(db)
  const indexes = await db.reads<{ index: string; column: string }[]>`
    select c.relname as index, pg_get_indexdef(c.oid, 1, false) as column
    from pg_class c where c.relkind = 'i' and c.relnamespace = 'action_do'::regnamespace`
  for (const { index, column } of indexes) leading.set(index, column)
  await db.close(1)
})

/** From now on the planner is told of no change. */
async function keepStatistics({ reads }: Database, analyze = true): Promise<void> {
  for (const table of [
    'runs',
    'written_events',
    'written_attempts',
    'workers',
    'commands',
    'holds',
    'recent_changes',
  ]) {
    await reads.unsafe(`alter table action_do.${table} set (autovacuum_enabled = off)`)
    if (analyze) await reads.unsafe(`analyze action_do.${table}`)
  }
}

async function fill(db: Database): Promise<void> {
  await db.reads`
    insert into action_do.runs (bucket, id, kind, name, version, effect, root_id, fingerprint, params, status, priority,
      generation, attempt, failures, losses, probe, fence, worker_id, available_at, last_seq, created_at, finished_at)
    select n % 1024, id, 'ACTION', 'work', '1', 'idempotent', id, '', '{}', s.status::action_do.run_status, 0, 1, 1, 0, 0, false, 1,
      case s.status when 'RUNNING' then 'worker ' || n % 7 end, case when s.status in ('QUEUED', 'SCHEDULED') then now() end,
      3, now(), case s.status when 'SUCCEEDED' then now() end
    from generate_series(1, ${RUNS}::int) n
    cross join lateral (select gen_random_uuid() as id where n > 0) i
    cross join lateral (select (array['SUCCEEDED', 'QUEUED', 'SCHEDULED', 'RUNNING'])[1 + n % 4] as status) s`
  await db.reads`
    insert into action_do.holds (bucket, worker_id, buckets, runs)
    select min(bucket), worker_id, array_agg(bucket), array_agg(id) from action_do.runs where worker_id is not null
    group by worker_id, extract(epoch from created_at)::int8 % 100`
  await db.reads`
    insert into action_do.written_events (bucket, root_id, seq, run_id, at, to_status, reason)
    select r.bucket, r.id, seq, r.id, now(), 'QUEUED', 'SUBMITTED' from action_do.runs r cross join generate_series(1, 3) seq`
  await db.reads`
    insert into action_do.written_attempts (bucket, run_id, number, status, worker_id, started_at, finished_at)
    select r.bucket, r.id, number, 'FAILED', 'w', now(), now() from action_do.runs r cross join generate_series(1, 2) number`
}

/** A database that carries nothing out, and takes note of what it was asked to do. */
function noting(captured: Captured[]): Database {
  const unsafe = (text: string, params: readonly unknown[] = []) => {
    captured.push({ text, params })
    return Promise.resolve([])
  }
  const tag = (strings: TemplateStringsArray, ...params: unknown[]) =>
    unsafe(
      strings.reduce((text, part, i) => `${text}$${i}${part}`),
      params,
    )
  const sql = Object.assign(tag, { unsafe, begin: (work: (tx: unknown) => unknown) => work(sql) }) as unknown as Sql
  return { hot: sql, warm: sql, reads: sql, clock: { offsetMs: 0 } } as unknown as Database
}

type Pool = 'hot' | 'reads' | 'user'

/** All nodes of the plan that a connection of this kind makes for a statement, prepared as the server prepares it. */
async function nodesOf(pool: Pool, statement: Captured): Promise<Node[]> {
  const db = connect(databaseUrl, MIN_CONNECTIONS)
  try {
    return await planOf(clientOf(db, pool), statement)
  } finally {
    await db.close(1)
  }
}

/** The plans of a server that was started with empty tables, and that has kept them while those filled: of each statement by its name. */
const kept = new Map<string, () => Promise<Node[]>>()

beforeAll(async () => {
  const url = await testDatabase()
  const db = connect(url, MIN_CONNECTIONS)
  const other = connect(url, MIN_CONNECTIONS)
  // tables that were never looked at: not the same to the planner as such that are known to be empty
  await keepStatistics(other, false)
  for (const [name, pool, call] of [...statements, OBVIOUS]) {
    const [statement] = await capturedOf(call)
    const client = clientOf(db, pool)
    await client.unsafe('set plan_cache_mode = force_generic_plan')
    const prepared = await prepare(client, statement!)
    await explain(client, prepared, statement!)
    kept.set(name, () => explain(client, prepared, statement!))
  }
  await fill(other)
  await other.close(1)
  return () => db.close(1)
})

function clientOf(db: Database, pool: Pool): Sql {
  return pool === 'user' ? (Reflect.get(db.user, '$client') as Sql) : db[pool]
}

async function planOf(client: Sql, statement: Captured): Promise<Node[]> {
  return explain(client, await prepare(client, statement), statement)
}

async function prepare(client: Sql, { text }: Captured): Promise<string> {
  const name = `p${randomUUID().replaceAll('-', '')}`
  await client.unsafe(`prepare ${name} as ${text}`)
  return name
}

async function explain(client: Sql, name: string, { params }: Captured): Promise<Node[]> {
  const given = params.map((param) => (param === null ? 'null' : `'${String(param).replaceAll("'", "''")}'`))
  const [row] = await client.unsafe<{ 'QUERY PLAN': { Plan: Node }[] }[]>(
    `explain (format json) execute ${name}${given.length > 0 ? `(${given})` : ''}`,
  )
  return flatten(row!['QUERY PLAN'][0]!.Plan)
}

function flatten(node: Node): Node[] {
  return [node, ...(node.Plans ?? []).flatMap(flatten)]
}

const LOOK_UPS = ['Index Scan', 'Index Only Scan', 'Bitmap Heap Scan', 'Bitmap Index Scan', 'Tid Scan', 'ModifyTable']

/** Every access to the big tables that is not by address or by the first column of an index: by a later one, all of it is read. */
function scans(nodes: readonly Node[]): Node[] {
  return nodes.filter((node) => {
    if (
      !['runs', 'written_events', 'written_attempts', 'commands', 'signals', 'recent_changes'].includes(
        node['Relation Name'] ?? '',
      )
    )
      return false
    if (!LOOK_UPS.includes(node['Node Type'])) return true
    if (!node['Node Type'].startsWith('Index')) return false
    const column = leading.get(node['Index Name'] ?? '')
    return column === undefined || !node['Index Cond']?.includes(`(${column} `)
  })
}

const run = newRun({ status: 'RUNNING', workerId: 'worker 1' })
const runs = Array.from({ length: 200 }, () => newRun())
const ids = runs.map(({ id }) => id)
const page = { rootId: run.id, runId: run.id, after: 0, first: 200 }

const statements: [string, Pool, (db: Database) => Promise<unknown>][] = [
  ['submitRuns, one', 'hot', (db) => submitRuns(db, [run])],
  ['submitRuns, a batch', 'hot', (db) => submitRuns(db, runs)],
  ['submitRuns, one for later', 'hot', (db) => submitRuns(db, [newRun({ status: 'SCHEDULED', runAt: new Date() })])],
  ['endAttempts, one', 'hot', (db) => endAttempts(db, [anEnd(run)])],
  [
    'endAttempts, one that failed',
    'hot',
    (db) => endAttempts(db, [anEnd(run, { to: 'FAILED', reason: 'PERMANENT_FAILURE', attemptStatus: 'FAILED' })]),
  ],
  ['forgetChanges', 'hot', (db) => forgetChanges(db)],
  [
    'endAttempts, a batch',
    'hot',
    (db) =>
      endAttempts(
        db,
        runs.map((one) => anEnd(one)),
      ),
  ],
  [
    'claimRuns',
    'hot',
    (db) => claimRuns(db, { workerId: 'w', total: 50, names: [{ name: 'work', effect: 'idempotent', slots: 50 }] }),
  ],
  ['enqueueDueRuns', 'hot', (db) => enqueueDueRuns(db)],
  ['recordHeartbeats', 'hot', (db) => recordHeartbeats(db, [{ ...run, fence: 1, progress: 1 }])],
  ['streamPages', 'hot', (db) => streamPages(db, [{ rootId: run.id, after: 0, first: 200 }])],
  [
    'runsByIds',
    'hot',
    (db) =>
      runsByIds(
        db,
        runs.map(({ id }) => id),
      ),
  ],
  ['runsOfWorker', 'hot', (db) => runsOfWorker(db, 'worker 1')],
  ['runsHeldBy', 'hot', (db) => runsHeldBy(db, 'worker 1')],
  ['attemptsHeldBy', 'hot', (db) => attemptsHeldBy(db, 'worker 1')],
  ['oldRemoteAttempts', 'hot', (db) => oldRemoteAttempts(db, 1_000).next()],
  ['queueDepths', 'hot', (db) => queueDepths(db, ['work'], 1_000)],
  ['dropHolds', 'hot', (db) => dropHolds(db, 'worker 1')],
  ['eventPages', 'reads', (db) => eventPages(db, [page])],
  [
    'eventPages, of many steps',
    'reads',
    (db) =>
      eventPages(
        db,
        ids.map((runId) => ({ ...page, runId })),
      ),
  ],
  [
    'attemptsOf',
    'reads',
    (db) =>
      attemptsOf(
        db,
        runs.map(({ id }) => id),
      ),
  ],
  ['stepsOf', 'reads', (db) => stepsOf(db, ids)],
  ['lockTrees', 'hot', (db) => lockTrees(runnerOf(db.hot), runs, 'worker 1', 0)],
  ['readTreeRows', 'hot', (db) => readTreeRows(runnerOf(db.hot), ids)],
  ['readChildren', 'hot', (db) => readChildren(runnerOf(db.hot), ids, ['FAILED', 'CANCELED'])],
  ['readOutcomes', 'hot', (db) => readOutcomes(runnerOf(db.hot), ids)],
  ['readIterations', 'hot', (db) => readIterations(runnerOf(db.hot), ids)],
  ['readParams', 'hot', (db) => readParams(runnerOf(db.hot), ids)],
  [
    'readAttemptsSince',
    'hot',
    (db) =>
      readAttemptsSince(
        runnerOf(db.hot),
        ids.map((id) => ({ id, sinceMs: 0 })),
      ),
  ],
  [
    'writeTrees, a batch',
    'hot',
    (db) =>
      writeTrees(runnerOf(db.hot), {
        gift: null,
        guards: runs.map(({ bucket, id }) => ({ bucket, id, fence: 1 })),
        updates: runs as unknown as TreeRow[],
        inserts: [],
        attempts: [],
        events: [],
      }),
  ],
  ['waitingStill', 'hot', (db) => waitingStill(db, [{ rowId: run.id, linkedId: run.id }])],
  ['queuedSteps', 'hot', (db) => queuedSteps(db, [{ queue: 'work', slots: 50 }], 50)],
  ['dueTreeWork', 'hot', (db) => dueTreeWork(db, 100)],
  ['findCommand', 'hot', (db) => findCommand(runnerOf(db.hot), { bucket: 1, runId: run.id, kind: 'cancel', key: 'k' })],
  ['takeSignal', 'hot', (db) => takeSignal(runnerOf(db.hot), ids, 'go', run.id)],
  ['stepsWaitingFor', 'hot', (db) => stepsWaitingFor(runnerOf(db.hot), run.id, 'go')],
  [
    'keepSignal',
    'hot',
    (db) => keepSignal(runnerOf(db.hot), { runId: run.id, name: 'go', payload: 1, actor: 'a', at: 0, takenBy: null }),
  ],
]

/** The update that one would write first. */
const OBVIOUS: (typeof statements)[number] = [
  'the obvious update',
  'hot',
  ({ hot }) =>
    hot.unsafe(
      'update action_do.runs r set fence = 1 from json_to_recordset($1::text::json) as i(bucket int2, id uuid) where r.bucket = i.bucket and r.id = i.id',
      [JSON.stringify(runs.map(({ bucket, id }) => ({ bucket, id })))],
    ),
]

/** What a call sends. As nothing is carried out, what it makes of the answers is of no interest. */
async function capturedOf(call: (db: Database) => Promise<unknown>): Promise<Captured[]> {
  const captured: Captured[] = []
  await call(noting(captured)).catch(() => {})
  return captured
}

test.each(statements)('%s finds its rows by index or address, whatever the statistics say', async (_, pool, call) => {
  const captured = await capturedOf(call)
  expect(captured).toHaveLength(1)
  expect(scans(await nodesOf(pool, captured[0]!))).toEqual([])
})

test.each(statements)('%s keeps to index and address when it was planned while the tables were empty', async (name) => {
  expect(scans(await kept.get(name)!())).toEqual([])
})

test('the end of an attempt inside of a handler transaction finds its row by index, under ordinary settings', async () => {
  let captured: Captured | undefined
  const tx = {
    execute: async (chunk: Parameters<PgDialect['sqlToQuery']>[0]) => {
      const { sql: text, params } = new PgDialect().sqlToQuery(chunk)
      captured = { text, params }
      return []
    },
  }
  await endAttemptIn(tx as unknown as UserTransaction, anEnd(run), new Date()).catch(() => {})
  expect(scans(await nodesOf('user', captured!))).toEqual([])
})

test.each([
  ['the workers whose lease has expired', [], (db: Database) => expiredWorkers(db)],
  ['the next due run', ['runs_due', 'runs_to_wake'], (db: Database) => millisecondsUntilNextDue(db)],
] as const)('%s: only the indexes of what it concerns are read, %s', async (_, expected, call) => {
  const captured = await capturedOf(call)
  const nodes = await nodesOf('hot', captured[0]!)
  const indexes = nodes.flatMap((node) => node['Index Name'] ?? []).filter((name) => name.startsWith('runs_'))
  expect(new Set(indexes)).toEqual(new Set(expected))
  expect(nodes.filter((node) => node['Relation Name'] === 'runs' && node['Node Type'] === 'Seq Scan')).toEqual([])
})

test('the check itself tells a scan from a look-up', async () => {
  const whole = { text: 'select count(last_seq) from action_do.runs', params: [] }
  const one = {
    text: `select * from action_do.runs where bucket = ${bucketOf(run.id)} and id = '${run.id}'`,
    params: [],
  }
  expect(scans(await nodesOf('user', whole))).toHaveLength(1)
  expect(scans(await nodesOf('hot', whole))).toHaveLength(1)
  expect(scans(await nodesOf('user', one))).toEqual([])
  const byTheSecond = {
    text: `select fence from action_do.runs where id = '${run.id}' and parent_id is null`,
    params: [],
  }
  const nodes = await nodesOf('hot', byTheSecond)
  expect(nodes.some((node) => node['Index Cond'])).toBe(true)
  expect(scans(nodes)).toHaveLength(1)
  const obvious = await kept.get(OBVIOUS[0])!()
  expect(scans(obvious)).toHaveLength(1)
})
