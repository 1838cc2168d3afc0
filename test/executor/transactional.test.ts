import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { action, type UserTransaction } from '../../src/index.ts'
import { createNotes, notesIn, queryOf } from '../support/notes.ts'
import { aborted, latch, settled, submit } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'

const backoff = { initialMs: 0, factor: 1, maxMs: 0, jitter: false }

async function note(tx: UserTransaction, text: string): Promise<void> {
  await tx.execute(sql`insert into notes values (${text})`)
}

test('what a handler writes is there when its run has succeeded', async () => {
  const writer = action('writer', { effect: 'transactional', run: ({ tx }) => note(tx, 'written').then(() => 'ok') })
  const server = await startTestServer([writer], { migrate: createNotes })
  const { run } = await server.execute({ name: 'writer' })
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: 'ok', attempts: [{ status: 'SUCCEEDED' }] })
  expect(await notesIn(server)).toEqual(['written'])
})

test('what a failed attempt wrote is gone, and the attempt that succeeds writes once', async () => {
  const writer = action('writer', {
    effect: 'transactional',
    retry: { backoff },
    run: async ({ tx, attempt }) => {
      await note(tx, `attempt ${attempt}`)
      await tx.transaction((inner) => note(inner, `nested in ${attempt}`))
      if (attempt < 3) throw new Error('no')
    },
  })
  const server = await startTestServer([writer], { migrate: createNotes })
  const { run } = await server.execute({ name: 'writer' })
  expect(run?.attempts.map(({ status }) => status)).toEqual(['FAILED', 'FAILED', 'SUCCEEDED'])
  expect(await notesIn(server)).toEqual(['attempt 3', 'nested in 3'])
})

test('nobody sees the writes before the run has succeeded', async () => {
  const written = latch()
  const go = latch()
  const writer = action('writer', {
    effect: 'transactional',
    run: async ({ tx }) => {
      await note(tx, 'written')
      written.open()
      await go.opened
    },
  })
  const server = await startTestServer([writer], { migrate: createNotes })
  const id = await submit(server, { name: 'writer' })
  await written.opened
  expect(await notesIn(server)).toEqual([])
  go.open()
  expect(await settled(server, id)).toMatchObject({ status: 'SUCCEEDED' })
  expect(await notesIn(server)).toEqual(['written'])
})

test('a run that is canceled in mid-handler writes nothing, though its handler goes on', async () => {
  const started = latch()
  const left = latch<unknown>()
  const writer = action('writer', {
    effect: 'transactional',
    run: async ({ tx, signal }) => {
      await note(tx, 'before')
      started.open()
      await aborted(signal)
      left.open(await Promise.resolve(note(tx, 'after')).catch((error: unknown) => error))
    },
  })
  const server = await startTestServer([writer], { migrate: createNotes })
  const id = await submit(server, { name: 'writer' })
  await started.opened
  await server.query('mutation($id: ID!) { cancelRun(input: { id: $id }) { __typename } }', { id })
  await left.opened
  const run = await settled(server, id)
  expect(run).toMatchObject({ status: 'CANCELED', attempts: [{ status: 'CANCELED' }] })
  await server.stop()
  expect(await notesIn(server)).toEqual([])
})

test('two transactions that deadlock both commit, each within its one attempt', async () => {
  const hasFirst = { a: latch(), b: latch() }
  let calls = 0
  const lockBoth = action('lock-both', {
    effect: 'transactional',
    run: async ({ tx, params }) => {
      calls++
      const [mine, other] = params === 'a' ? (['a', 'b'] as const) : (['b', 'a'] as const)
      await tx.execute(sql`update notes set text = text where text = ${mine}`)
      hasFirst[mine].open()
      await hasFirst[other].opened
      await tx.execute(sql`update notes set text = text where text = ${other}`)
      await note(tx, `by ${mine}`)
    },
  })
  const server = await startTestServer([lockBoth], { migrate: createNotes })
  await queryOf(server.databaseUrl)`insert into notes values ('a'), ('b')`
  const answers = await Promise.all(['a', 'b'].map((params) => server.execute({ name: 'lock-both', params })))
  for (const { run } of answers) {
    expect(run?.status).toBe('SUCCEEDED')
    expect(run?.attempts).toMatchObject([{ number: 1, status: 'SUCCEEDED' }])
  }
  expect(calls).toBe(3)
  expect(await notesIn(server)).toEqual(['a', 'b', 'by a', 'by b'])
})

test('a serialization failure is repeated within the attempt', async () => {
  const read = latch()
  const changed = latch()
  let calls = 0
  const careful = action('careful', {
    effect: 'transactional',
    run: async ({ tx }) => {
      calls++
      await tx.execute(sql`set transaction isolation level repeatable read`)
      await tx.execute(sql`select text from notes`)
      read.open()
      await changed.opened
      await tx.execute(sql`update notes set text = text || '!'`)
    },
  })
  const server = await startTestServer([careful], { migrate: createNotes })
  const own = queryOf(server.databaseUrl)
  await own`insert into notes values ('draft')`
  const id = await submit(server, { name: 'careful' })
  await read.opened
  await own`update notes set text = 'final'`
  changed.open()
  expect(await settled(server, id)).toMatchObject({ status: 'SUCCEEDED', attempts: [{ number: 1 }] })
  expect(calls).toBe(2)
  expect(await notesIn(server)).toEqual(['final!'])
})

test('an error of SQL that is the fault of the handler is a failure of the attempt', async () => {
  let calls = 0
  const wrong = action('wrong', {
    effect: 'transactional',
    retry: { maxAttempts: 1 },
    run: ({ tx }) => {
      calls++
      return tx.execute(sql`select * from no_such_table`)
    },
  })
  const server = await startTestServer([wrong])
  const { run } = await server.execute({ name: 'wrong' })
  expect(run?.status).toBe('FAILED')
  expect(calls).toBe(1)
})
