import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { bucketOf } from '../../src/core/ids.ts'
import { action, type UserDatabase } from '../../src/index.ts'
import { queryOf } from '../support/notes.ts'
import { latch, uuidOf } from '../support/runs.ts'
import { type ShownRun, startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

async function createAccounts(db: UserDatabase): Promise<void> {
  await db.execute(sql`create table accounts (name text primary key, cents int not null)`)
  await db.execute(sql`insert into accounts values ('a', 100), ('b', 100)`)
}

/** Lets as many callers through as it takes, all at once, the first time; later ones pass. */
function barrier(callers: number): () => Promise<void> {
  const full = latch()
  let arrived = 0
  return () => {
    if (++arrived === callers) full.open()
    return full.opened
  }
}

const ONE_ATTEMPT = {
  status: 'SUCCEEDED',
  error: null,
  attempts: [{ number: 1, status: 'SUCCEEDED', error: null }],
  lastSeq: 2,
}

test('35: a deadlock between two handlers is repeated inside: both succeed, in one attempt each', async () => {
  let calls = 0
  const bothHoldOne = barrier(2)
  const transfer = action('transfer', {
    effect: 'transactional',
    run: async ({ tx, params }) => {
      calls++
      const { from, to } = params as { from: string; to: string }
      await tx.execute(sql`update accounts set cents = cents - 10 where name = ${from}`)
      await bothHoldOne()
      await tx.execute(sql`update accounts set cents = cents + 10 where name = ${to}`)
    },
  })
  const server = await startTestServer([transfer], { migrate: createAccounts })
  const answers = await Promise.all([
    server.execute({ name: 'transfer', params: { from: 'a', to: 'b' }, idempotencyKey: 'there' }),
    server.execute({ name: 'transfer', params: { from: 'b', to: 'a' }, idempotencyKey: 'back' }),
  ])
  for (const { run } of answers) expect(run).toMatchObject(ONE_ATTEMPT)
  // it was a deadlock: one of them was called again
  expect(calls).toBe(3)
  const accounts = await queryOf(server.databaseUrl)`select name, cents from accounts order by name`
  expect([...accounts]).toEqual([
    { name: 'a', cents: 100 },
    { name: 'b', cents: 100 },
  ])
})

test('35: a serialization failure is repeated inside: all succeed, as if one after the other', async () => {
  let calls = 0
  const bothRead = barrier(2)
  // each looks at both accounts and empties one of them, if both together hold enough: not both may do so
  const empty = action('empty', {
    effect: 'transactional',
    run: async ({ tx, params }) => {
      calls++
      await tx.execute(sql`set transaction isolation level serializable`)
      const [row] = await tx.execute<{ sum: number }>(sql`select sum(cents)::int as sum from accounts`)
      await bothRead()
      if ((row?.sum ?? 0) < 200) return 'refused'
      await tx.execute(sql`update accounts set cents = 0 where name = ${(params as { name: string }).name}`)
      return 'emptied'
    },
  })
  const server = await startTestServer([empty], { migrate: createAccounts })
  const answers = await Promise.all(
    ['a', 'b'].map((name) => server.execute({ name: 'empty', params: { name }, idempotencyKey: name })),
  )
  for (const { run } of answers) expect(run).toMatchObject(ONE_ATTEMPT)
  expect(answers.map(({ run }) => run?.result).sort()).toEqual(['emptied', 'refused'])
  expect(calls).toBe(3)
  const [sum] = await queryOf(server.databaseUrl)`select sum(cents)::int as cents from accounts`
  expect(sum?.cents).toBe(100)
})

test('35: a control mutation that Postgres rolls back in a deadlock is repeated inside', async () => {
  const goOn = latch()
  const wait = action('wait', { run: () => goOn.opened })
  const server = await startTestServer([wait])
  // Postgres breaks the circle where it first looks: at the cancel, which waits for longer, unless the machine let this side sleep
  let canceled: Awaited<ReturnType<typeof cancelInDeadlock>>
  do canceled = await cancelInDeadlock(server)
  while (!canceled.wasRolledBack)
  const { replayed, run } = canceled.cancelRun
  expect({ replayed, status: run.status }).toEqual({ replayed: false, status: 'CANCELED' })
  expect(run.events.map(({ reason }) => reason)).toEqual(['STARTED', 'CANCEL_REQUESTED'])
  goOn.open()
})

/** Cancels a run whose row and whose key for it are locked by the test, in the other order. */
async function cancelInDeadlock(server: TestServer) {
  const { run } = await server.execute({ name: 'wait', waitMs: 0 })
  const id = uuidOf(run?.id ?? '')
  let cancel: Promise<{ cancelRun: { replayed: boolean; run: ShownRun } }> | undefined
  const letsGo = new Error('the test lets go')
  const outcome = await queryOf(server.databaseUrl)
    .begin(async (tx) => {
      // the cancel locks the run's row and then writes its key; here it is the other way round
      await tx`insert into action_do.commands (bucket, run_id, kind, key, fingerprint, outcome, at)
        values (${bucketOf(id)}, ${id}, 'cancel', 'stop-it', '', 'null', now())`
      cancel = server.query(
        `mutation($id: ID!) { cancelRun(input: { id: $id, idempotencyKey: "stop-it" }) { __typename
          ... on CancelRunPayload { replayed run { status events { reason } } } } }`,
        { id: run?.id },
      )
      await until(async () => (await waitingForLocks(server.executor)) === 1)
      await tx`select from action_do.runs where bucket = ${bucketOf(id)} and id = ${id} for no key update`
      // the row was given to this side, and so the cancel was rolled back
      throw letsGo
    })
    .catch((error) => error)
  if (outcome !== letsGo) expect(outcome).toMatchObject({ code: '40P01' })
  return { wasRolledBack: outcome === letsGo, ...(await cancel!) }
}

async function waitingForLocks({ db }: { db: { reads: ReturnType<typeof queryOf> } }): Promise<number> {
  const rows = await db.reads`
    select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and wait_event = 'transactionid'`
  return rows.length
}
