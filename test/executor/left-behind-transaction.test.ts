import { inspect } from 'node:util'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { action, type UserTransaction } from '../../src/index.ts'
import { createNotes, notesIn, queryOf } from '../support/notes.ts'
import { aborted, latch } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'

/*
 * A handler that is cut by its timeout goes on running, with a transaction whose connection is somebody else's by then.
 */

type Use = (tx: UserTransaction) => PromiseLike<unknown>

const note = (text: string) => sql`insert into notes values (${text})`

const uses: [string, Use][] = [
  ['a query', (tx) => tx.execute(note('late'))],
  ['a query that it prepares for later', (tx) => tx.execute(sql`select 1`).then(() => tx.execute(note('late')))],
  ['a nested transaction', (tx) => tx.transaction((inner) => inner.execute(note('late')))],
  [
    'a transaction nested twice',
    (tx) => tx.transaction((inner) => inner.transaction((innermost) => innermost.execute(note('late')))),
  ],
]

/** A server whose action `cut` times out at once and uses its transaction as the run has long been recorded as failed. */
async function useLate(use: (tx: UserTransaction, settled: Promise<void>) => PromiseLike<unknown>) {
  const settled = latch()
  const outcome = latch<unknown>()
  const cut = action('cut', {
    effect: 'transactional',
    timeoutMs: 100,
    retry: { maxAttempts: 1 },
    run: async ({ tx }) => {
      await tx.execute(note('early'))
      outcome.open(await Promise.resolve(use(tx, settled.opened)).catch((error: unknown) => error))
    },
  })
  const server = await startTestServer([cut], { migrate: createNotes })
  const { run } = await server.execute({ name: 'cut' })
  settled.open()
  return { server, run, outcome: await outcome.opened }
}

test.each(uses)('%s after the timeout is refused and changes nothing', async (_, use) => {
  const { server, run, outcome } = await useLate((tx, settled) => settled.then(() => use(tx)))
  expect(run).toMatchObject({ status: 'FAILED', attempts: [{ status: 'TIMED_OUT' }] })
  expect(inspect(outcome)).toContain('ctx.tx was used after the attempt had ended')
  expect(await notesIn(server)).toEqual([])
})

test('a nested transaction that was open at the timeout is shut too', async () => {
  const { server, outcome } = await useLate((tx, settled) =>
    tx.transaction((inner) => settled.then(() => inner.execute(note('late')))),
  )
  expect(outcome).toBeInstanceOf(Error)
  expect(await notesIn(server)).toEqual([])
})

test('a query that the handler starts in the moment of its timeout is rolled back', async () => {
  const cut = action('cut', {
    effect: 'transactional',
    timeoutMs: 100,
    retry: { maxAttempts: 1 },
    run: async ({ tx, signal }) => {
      await tx.execute(sql`select 1`)
      await aborted(signal)
      await Promise.allSettled([
        tx.execute(note('in time?')),
        tx.transaction((inner) => inner.execute(note('nested?'))),
      ])
    },
  })
  const server = await startTestServer([cut], { migrate: createNotes })
  const { run } = await server.execute({ name: 'cut' })
  expect(run?.attempts).toMatchObject([{ status: 'TIMED_OUT' }])
  await server.stop()
  expect(await notesIn(server)).toEqual([])
})

test('the connection of a handler that was cut serves the next one well', async () => {
  const { server } = await useLate((tx, settled) => settled.then(() => tx.execute(note('late'))))
  const sql = queryOf(server.databaseUrl)
  // a rollback may be on its way still
  const busy = () =>
    sql`select state from pg_stat_activity where application_name = 'action.do handlers' and state <> 'idle'`
  await expect.poll(busy, { timeout: 5_000 }).toEqual([])
})

test('a statement that is still under way at the timeout does not hold the attempt up', async () => {
  const waiting = action('waiting', {
    effect: 'transactional',
    timeoutMs: 200,
    retry: { maxAttempts: 1 },
    run: ({ tx }) => tx.execute(sql`insert into notes select 'slow' from pg_sleep(60)`),
  })
  const server = await startTestServer([waiting], { migrate: createNotes })
  const { run } = await server.execute({ name: 'waiting', waitMs: 5_000 })
  expect(run).toMatchObject({ status: 'FAILED', attempts: [{ status: 'TIMED_OUT' }] })
  expect(await notesIn(server)).toEqual([])
})
