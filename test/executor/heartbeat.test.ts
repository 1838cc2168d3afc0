import { expect, test } from 'vitest'
import { type Action, action, type Effect, NonRetryableError } from '../../src/index.ts'
import { queryOf } from '../support/notes.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

const backoff = { initialMs: 0, factor: 1, maxMs: 0, jitter: false }

/** Starts a server whose database keeps a note of every heartbeat that is written. */
async function startNoting(actions: readonly Action[]): Promise<{ server: TestServer; written(): Promise<unknown[]> }> {
  const server = await startTestServer(actions)
  const own = queryOf(server.databaseUrl)
  await own.unsafe(`
    create table beats (n serial, beat json);
    create function note_beat() returns trigger language plpgsql as
      'begin insert into beats (beat) values (new.heartbeat); return new; end';
    create trigger note_beat after update of heartbeat on action_do.runs for each row execute function note_beat()`)
  const written = async () =>
    (await own<{ beat: unknown }[]>`select beat from beats order by n`).map(({ beat }) => beat)
  return { server, written }
}

test.each(['idempotent', 'transactional', 'unsafe'] satisfies Effect[])(
  'of many heartbeats in a second the first is written, and the last: %s, succeeded',
  async (effect) => {
    const busy = action('busy', {
      effect,
      run: ({ heartbeat }) => {
        for (let n = 1; n <= 1_000; n++) heartbeat({ n })
      },
    })
    const { server, written } = await startNoting([busy])
    const { run } = await server.execute({ name: 'busy' })
    expect(run).toMatchObject({ status: 'SUCCEEDED', heartbeat: { n: 1_000 } })
    expect(await written()).toEqual([{ n: 1 }, { n: 1_000 }])
  },
)

test('the last heartbeat of a failed attempt is the lastHeartbeat of the next', async () => {
  const seen: unknown[] = []
  const resumed = action('resumed', {
    retry: { backoff },
    run: ({ heartbeat, lastHeartbeat, attempt }) => {
      seen.push(lastHeartbeat)
      if (attempt === 3) return
      for (let page = 1; page <= 50; page++) heartbeat({ page, of: attempt })
      throw new Error('interrupted')
    },
  })
  const server = await startTestServer([resumed])
  const { run } = await server.execute({ name: 'resumed' })
  expect(run?.status).toBe('SUCCEEDED')
  expect(seen).toEqual([undefined, { page: 50, of: 1 }, { page: 50, of: 2 }])
})

test('the last heartbeat of an attempt that timed out is not lost', async () => {
  const seen: unknown[] = []
  const slow = action('slow', {
    timeoutMs: 100,
    retry: { maxAttempts: 2, backoff },
    run: ({ heartbeat, lastHeartbeat, attempt }) => {
      seen.push(lastHeartbeat)
      if (attempt === 2) throw new NonRetryableError('enough')
      heartbeat('first')
      heartbeat(['last', attempt])
      return new Promise(() => {})
    },
  })
  const server = await startTestServer([slow])
  await server.execute({ name: 'slow' })
  expect(seen).toEqual([undefined, ['last', 1]])
})

test('falsy progress is progress', async () => {
  const zero = action('zero', { run: ({ heartbeat }) => heartbeat(0) })
  const server = await startTestServer([zero])
  expect((await server.execute({ name: 'zero' })).run?.heartbeat).toBe(0)
})

const circular: { self?: unknown } = {}
circular.self = circular

test.each([
  ['undefined', undefined],
  ['a function', () => 1],
  ['a BigInt', 1n],
  ['NaN', { n: Number.NaN }],
  ['a NUL', 'a\0b'],
  ['something that leads back to itself', circular],
  ['more than 64 KiB', 'x'.repeat(65_536)],
])('progress that is %s throws a TypeError where it is given, and leaves the earlier one', async (_, progress) => {
  const wrong = action('wrong', {
    retry: { maxAttempts: 1 },
    run: ({ heartbeat }) => {
      heartbeat('good')
      heartbeat(progress)
    },
  })
  const server = await startTestServer([wrong])
  const { run } = await server.execute({ name: 'wrong' })
  expect(run).toMatchObject({ status: 'FAILED', heartbeat: 'good' })
  expect(run?.error?.message).toMatch(/heartbeat|BigInt|circular/)
})

test('progress of 64 KiB is taken', async () => {
  const large = action('large', { run: ({ heartbeat }) => heartbeat('x'.repeat(65_534)) })
  const server = await startTestServer([large])
  expect((await server.execute({ name: 'large' })).run?.status).toBe('SUCCEEDED')
})
