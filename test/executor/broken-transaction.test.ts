import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { poolSizes } from '../../src/db/client.ts'
import { action, type UserTransaction } from '../../src/index.ts'
import { createNotes, notesIn, queryOf } from '../support/notes.ts'
import { latch, settled, submit } from '../support/runs.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

const CONNECTIONS = 12

async function note(tx: UserTransaction, text: string): Promise<void> {
  await tx.execute(sql`insert into notes values (${text})`)
}

async function pidOf(tx: UserTransaction): Promise<number> {
  const [row] = await tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)
  return row?.pid ?? 0
}

async function kill(server: TestServer, pid: number): Promise<void> {
  await queryOf(server.databaseUrl)`select pg_terminate_backend(${pid})`
}

test.each([
  ['while a query is under way', true],
  ['while the handler does something else', false],
])('a connection that is killed %s costs no attempt, and the handler takes effect once', async (_, busy) => {
  let calls = 0
  const connected = latch<number>()
  const killed = latch()
  const writer = action('writer', {
    effect: 'transactional',
    run: async ({ tx }) => {
      calls++
      await note(tx, `call ${calls}`)
      if (calls > 1) return
      connected.open(await pidOf(tx))
      if (busy) await tx.execute(sql`select pg_sleep(60)`)
      else await killed.opened
      await note(tx, 'through a dead connection')
    },
  })
  const server = await startTestServer([writer], { migrate: createNotes })
  const id = await submit(server, { name: 'writer' })
  await kill(server, await connected.opened)
  const run = await settled(server, id)
  killed.open()
  expect(run).toMatchObject({ status: 'SUCCEEDED', attempts: [{ number: 1, status: 'SUCCEEDED' }] })
  expect(calls).toBe(2)
  await server.stop()
  expect(await notesIn(server)).toEqual(['call 2'])
})

test('a handler that swallows the loss of its connection cannot commit anything', async () => {
  let calls = 0
  const connected = latch<number>()
  const writer = action('writer', {
    effect: 'transactional',
    run: async ({ tx }) => {
      if (++calls > 1) return 'second'
      await note(tx, 'first')
      connected.open(await pidOf(tx))
      await Promise.allSettled([tx.execute(sql`select pg_sleep(60)`), tx.transaction((inner) => note(inner, 'nested'))])
      await Promise.allSettled([note(tx, 'swallowed'), tx.transaction((inner) => note(inner, 'swallowed too'))])
      return 'first'
    },
  })
  const server = await startTestServer([writer], { migrate: createNotes })
  const id = await submit(server, { name: 'writer' })
  await kill(server, await connected.opened)
  expect(await settled(server, id)).toMatchObject({ status: 'SUCCEEDED', result: 'second', attempts: [{ number: 1 }] })
  await server.stop()
  expect(await notesIn(server)).toEqual([])
})

test('a handler whose connection broke does not disturb the transaction that has the connection now', async () => {
  const goOn = { first: latch(), second: latch(), others: latch() }
  const connected = latch<number>()
  const again = latch()
  const left = latch()
  let calls = 0
  const occupy = action('occupy', { effect: 'transactional', run: () => goOn.others.opened })
  const writer = action('writer', {
    effect: 'transactional',
    run: async ({ tx }) => {
      if (++calls === 1) {
        connected.open(await pidOf(tx))
        await goOn.first.opened
        setImmediate(left.open)
        return
      }
      await note(tx, 'early')
      again.open()
      await goOn.second.opened
      await note(tx, 'late')
      throw new Error('so neither may be there')
    },
    retry: { maxAttempts: 1 },
  })
  const server = await startTestServer([occupy, writer], { migrate: createNotes, databaseConnections: CONNECTIONS })
  // all other connections are taken, so that the second call gets the one of the first
  const others = Array.from({ length: poolSizes(CONNECTIONS).user - 1 }, () => submit(server, { name: 'occupy' }))
  await Promise.all(others)
  const id = await submit(server, { name: 'writer' })
  await kill(server, await connected.opened)
  await again.opened
  goOn.first.open()
  await left.opened
  goOn.second.open()
  expect(await settled(server, id)).toMatchObject({ status: 'FAILED', attempts: [{ number: 1 }] })
  goOn.others.open()
  await server.stop()
  expect(await notesIn(server)).toEqual([])
})

test("a handler's own refused connection is its failure, and its transaction is rolled back", async () => {
  let calls = 0
  const caller = action('caller', {
    effect: 'transactional',
    retry: { maxAttempts: 1 },
    run: async ({ tx }) => {
      calls++
      await note(tx, 'written')
      await tx.transaction(() => Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })))
    },
  })
  const server = await startTestServer([caller], { migrate: createNotes })
  const { run } = await server.execute({ name: 'caller' })
  expect(run).toMatchObject({ status: 'FAILED', error: { code: 'ECONNREFUSED' } })
  expect(calls).toBe(1)
  expect(await notesIn(server)).toEqual([])
})
