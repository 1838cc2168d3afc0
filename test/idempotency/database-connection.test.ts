import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { showRunId } from '../../src/core/ids.ts'
import { executeAction } from '../../src/executor/commands/execute-action.ts'
import { type Action, action, type UserDatabase } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { createNotes, notesIn } from '../support/notes.ts'
import { type DatabaseProxy, startProxy } from '../support/proxy.ts'
import { latch, settled, submit } from '../support/runs.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

const SUBMISSION = /insert into action_do\.runs/
const CLAIM = /picked as materialized/
const END_OF_ATTEMPT = /"expectedSeq"/
const COMMIT = /^commit/i

/** Longer than any test: what happens here is not the work of an expired lease. */
const leaseMs = 600_000

/** A server whose connections to Postgres pass a proxy. */
async function startBehindProxy(
  actions: readonly Action[],
  migrate: (db: UserDatabase) => Promise<void> = createNotes,
): Promise<{ server: TestServer; proxy: DatabaseProxy; done: () => Promise<string[]> }> {
  const databaseUrl = await testDatabase()
  const proxy = await startProxy(databaseUrl)
  const server = await startTestServer(actions, {
    databaseUrl: proxy.url,
    // a claim under way sets half of what is free aside: with less, some of the crowds would queue beside one
    concurrency: 4 * CROWDS,
    leaseMs,
    migrate,
  })
  return { server, proxy, done: () => notesIn({ databaseUrl }) }
}

/** So many calls at once are two commits, one behind the other. */
const CROWDS = 60

/** An effect outside of the database, with a count of its own. */
function counted(): { charge: Action; charges: string[] } {
  const charges: string[] = []
  return {
    charges,
    charge: action('charge', { run: ({ idempotencyKey }) => ({ receipt: charges.push(idempotencyKey) }) }),
  }
}

const book = action('book', {
  effect: 'transactional',
  retry: { maxAttempts: 1 },
  run: async ({ tx, runId }) => {
    await tx.execute(sql`insert into notes (text) values (${runId})`)
    return 'booked'
  },
})

const ONE_ATTEMPT = { status: 'SUCCEEDED', attempts: [{ number: 1, status: 'SUCCEEDED' }], lastSeq: 2 }

test('5: the database goes away in the middle of a handler: what it did is recorded later, and not done again', async () => {
  const [began, finish] = [latch(), latch()]
  const charges: string[] = []
  const charge = action('charge', {
    run: async ({ idempotencyKey }) => {
      began.open()
      await finish.opened
      return { receipt: charges.push(idempotencyKey) }
    },
  })
  const { server, proxy } = await startBehindProxy([charge])
  const answer = server.execute({ name: 'charge', idempotencyKey: 'invoice-1' })
  await began.opened
  proxy.refuse(true)
  proxy.cutAll()
  finish.open()
  expect((await fetch(new URL('/health/ready', server.url))).status).toBe(503)
  expect(charges).toHaveLength(1)
  proxy.refuse(false)
  const { run } = await answer
  expect(run).toMatchObject(ONE_ATTEMPT)
  expect(await server.execute({ name: 'charge', idempotencyKey: 'invoice-1' })).toEqual({
    __typename: 'ExecuteActionPayload',
    replayed: true,
    run,
  })
  expect(charges).toEqual([run?.id])
})

test('20: a submission commits and its answer is lost: the run is recognised, and executed once', async () => {
  const { charge, charges } = counted()
  const { server, proxy } = await startBehindProxy([charge])
  for (const idempotencyKey of ['invoice-1', undefined]) {
    const lost = proxy.loseAnswer(SUBMISSION)
    const { run, replayed } = await server.execute({ name: 'charge', idempotencyKey })
    await lost
    // it was this very call that recorded the run
    expect(replayed).toBe(false)
    expect(run).toMatchObject(ONE_ATTEMPT)
    expect(charges).toHaveLength(1)
    expect(charges.pop()).toBe(run?.id)
  }
})

test('20: the end of an attempt commits and its answer is lost: the outcome stands, and nothing is done twice', async () => {
  const { charge, charges } = counted()
  const { server, proxy } = await startBehindProxy([charge])
  const lost = proxy.loseAnswer(END_OF_ATTEMPT)
  const { run } = await server.execute({ name: 'charge', idempotencyKey: 'invoice-1' })
  await lost
  expect(run).toMatchObject({ ...ONE_ATTEMPT, result: { receipt: 1 } })
  expect(charges).toEqual([run?.id])
})

test.each([
  ['submissions', SUBMISSION],
  ['ends of attempts', END_OF_ATTEMPT],
] as const)(
  '20: of two commits of %s behind each other the first loses its answer: what is in hand behind it is repeated too, and nothing is done twice',
  async (_, statement) => {
    const { charge, charges } = counted()
    const { server, proxy } = await startBehindProxy([charge])
    const call = (idempotencyKey: string) => {
      const request = { name: 'charge', params: {}, waitMs: 20_000, runAt: null, priority: 0, idempotencyKey }
      return executeAction(server.executor, request, 'test')
    }
    // the connection has prepared both statements: what follows goes out without waiting
    await call('first')
    charges.length = 0
    const lost = proxy.loseAnswer(statement)
    const answers = await Promise.all(Array.from({ length: CROWDS }, (_, i) => call(`invoice-${i}`)))
    await lost
    for (const { run, replayed } of answers) {
      expect(replayed).toBe(false)
      expect(run).toMatchObject({ status: 'SUCCEEDED', attempt: 1, lastSeq: 2 })
    }
    expect([...charges].sort()).toEqual(answers.map(({ run }) => showRunId(run.id)).sort())
  },
)

test('20: a claim commits and its answer is lost: the run is handed on and executed, without waiting for the lease', async () => {
  const { charge, charges } = counted()
  const { server, proxy } = await startBehindProxy([charge])
  const id = await submit(server, { name: 'charge', runAt: new Date(Date.now() + 60_000).toISOString() })
  const lost = proxy.loseAnswer(CLAIM)
  server.advance(60_000)
  await lost
  const run = await settled(server, id)
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: { receipt: 1 } })
  expect(charges).toEqual([id])
})

test('20: the commit of a transactional action is carried out and its answer is lost: its row is there once', async () => {
  const { server, proxy, done } = await startBehindProxy([book])
  const lost = proxy.loseAnswer(COMMIT)
  const { run } = await server.execute({ name: 'book', idempotencyKey: 'seat-1' })
  await lost
  expect(run).toMatchObject({ ...ONE_ATTEMPT, result: 'booked' })
  expect(await done()).toEqual([run?.id])
  expect(await server.execute({ name: 'book', idempotencyKey: 'seat-1' })).toMatchObject({ replayed: true })
  expect(await done()).toEqual([run?.id])
})

test('21: a submission that never reached the database is repeated, and executed once', async () => {
  const { charge, charges } = counted()
  const { server, proxy } = await startBehindProxy([charge])
  const lost = proxy.loseRequest(SUBMISSION)
  const { run, replayed } = await server.execute({ name: 'charge', idempotencyKey: 'invoice-1' })
  await lost
  expect(replayed).toBe(false)
  expect(run).toMatchObject(ONE_ATTEMPT)
  expect(charges).toEqual([run?.id])
})

test('21: the end of an attempt is rolled back: it is written again, the handler is not called again', async () => {
  const { charge, charges } = counted()
  const { server, proxy } = await startBehindProxy([charge])
  const lost = proxy.loseRequest(END_OF_ATTEMPT)
  const { run } = await server.execute({ name: 'charge', idempotencyKey: 'invoice-1' })
  await lost
  expect(run).toMatchObject(ONE_ATTEMPT)
  expect(charges).toEqual([run?.id])
})

test('21: the connection breaks in place of the COMMIT: no success before a commit that stood, and one row', async () => {
  const { server, proxy, done } = await startBehindProxy([book])
  const held = proxy.holdRequest(COMMIT)
  const answer = server.execute({ name: 'book', idempotencyKey: 'seat-1' })
  // the handler has returned, and everything but the COMMIT is done
  const commit = await held
  expect(await done()).toEqual([])
  const again = proxy.holdRequest(COMMIT)
  commit.cut()
  const second = await again
  expect(await done()).toEqual([])
  second.release()
  const { run } = await answer
  expect(run).toMatchObject(ONE_ATTEMPT)
  expect(await done()).toEqual([run?.id])
})

test('21: the connection breaks between two statements, a nested transaction done: executed again, and one row', async () => {
  let calls = 0
  const nested = latch()
  const broken = latch()
  const twofold = action('twofold', {
    effect: 'transactional',
    retry: { maxAttempts: 1 },
    run: async ({ tx, runId }) => {
      await tx.transaction((inner) => inner.execute(sql`insert into notes (text) values (${runId})`))
      if (++calls > 1) return
      nested.open()
      await broken.opened
    },
  })
  const { server, proxy, done } = await startBehindProxy([twofold])
  const answer = server.execute({ name: 'twofold' })
  await nested.opened
  proxy.cutAll()
  const { run } = await answer
  // the first call comes to its end only now: nothing of it may reach the database, nor harm the process
  broken.open()
  expect(run).toMatchObject(ONE_ATTEMPT)
  expect(calls).toBe(2)
  await server.stop()
  expect(await done()).toEqual([run?.id])
})

test('21: Postgres answers COMMIT with ROLLBACK, since the handler swallowed an error of SQL: no success, no row', async () => {
  const careless = action('careless', {
    effect: 'transactional',
    retry: { maxAttempts: 1 },
    run: async ({ tx }) => {
      await tx.execute(sql`insert into notes (text) values ('written')`)
      await tx.execute(sql`insert into notes (text) values (null)`).catch(() => {})
      return 'all is well'
    },
  })
  const { server, done } = await startBehindProxy([careless])
  const { run } = await server.execute({ name: 'careless' })
  expect(run).toMatchObject({ status: 'FAILED', result: null, attempts: [{ status: 'FAILED' }] })
  expect(await done()).toEqual([])
})

test('21: a constraint that is checked at COMMIT refuses the transaction: no success, no row', async () => {
  const twice = action('twice', {
    effect: 'transactional',
    retry: { maxAttempts: 1 },
    run: async ({ tx }) => {
      await tx.execute(sql`insert into notes (text) values ('same'), ('same')`)
      return 'all is well'
    },
  })
  const { server, done } = await startBehindProxy([twice], async (db) => {
    await db.execute(sql`create table notes (text text unique deferrable initially deferred)`)
  })
  const { run } = await server.execute({ name: 'twice' })
  expect(run).toMatchObject({ status: 'FAILED', result: null, attempts: [{ status: 'FAILED' }] })
  expect(await done()).toEqual([])
})
