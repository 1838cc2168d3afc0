import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { type Effects, startEffects } from '../support/effects.ts'
import { effectCaller } from '../support/fixtures/call-effect.ts'
import { createBookings, stepwiseActions } from '../support/fixtures/stepwise-actions.ts'
import { notesIn } from '../support/notes.ts'
import { type ServerProcess, startServerProcess } from '../support/process.ts'
import { happened, settled } from '../support/runs.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

/** Whoever waits for the lease waits for longer than a test may take. */
const LEASE_MS = '600000'

async function start(env: Record<string, string> = {}): Promise<{
  effects: Effects
  leaving: ServerProcess
  staying: TestServer
}> {
  const databaseUrl = await testDatabase()
  const effects = await startEffects()
  const leaving = await startServerProcess('stepwise-server', {
    databaseUrl,
    env: { EFFECTS_URL: effects.url, NODE_NAME: 'leaving', LEASE_MS, ...env },
  })
  const actions = stepwiseActions(effectCaller(effects.url, 'staying'), 'staying')
  const staying = await startTestServer(actions, { databaseUrl, migrate: createBookings, leaseMs: Number(LEASE_MS) })
  return { effects, leaving, staying }
}

/** Resolves when a server that was told to stop takes no connections any more. */
async function stopsListening({ url }: ServerProcess): Promise<void> {
  const refused = () =>
    fetch(new URL('/health/live', url), { headers: { connection: 'close' } }).then(
      () => false,
      () => true,
    )
  await until(refused)
}

test('a server that is told to stop lets a running handler finish, and a second signal changes nothing', async () => {
  const { effects, leaving, staying } = await start()
  effects.hold('effect')
  const { run } = await leaving.execute({ name: 'charge', waitMs: 0 })
  const call = await effects.arrived('effect')
  const code = leaving.stop()
  await stopsListening(leaving)
  const again = leaving.stop()
  call.answer()
  expect(await Promise.all([code, again])).toEqual([0, 0])
  expect(await settled(staying, run!.id)).toMatchObject({ status: 'SUCCEEDED', result: { by: 'leaving' } })
  expect(effects.of('effect')).toHaveLength(1)
})

test('a caller who waits on a server that stops gets the run as it stands, or its outcome', async () => {
  const { effects, leaving } = await start()
  effects.hold('effect')
  const answer = leaving.execute({ name: 'charge' })
  const call = await effects.arrived('effect')
  const code = leaving.stop()
  await stopsListening(leaving)
  call.answer()
  expect((await answer).run).toMatchObject({ status: 'SUCCEEDED', result: { by: 'leaving' } })
  expect(await code).toBe(0)
})

test.each([
  ['heeds its signal', 'charge'],
  ['heeds no signal', 'deaf'],
  ['writes in a transaction', 'book'],
])('a handler that does not finish in time and %s is let go of: another node goes on at once', async (_, name) => {
  const { effects, leaving, staying } = await start({ SHUTDOWN_TIMEOUT_MS: '1000' })
  effects.hold('effect')
  const { run } = await leaving.execute({ name, waitMs: 0 })
  await effects.arrived('effect')
  const told = performance.now()
  const code = leaving.stop()
  await happened(staying, run!.id, 'WORKER_STOPPED')
  await effects.arrived('effect', 2)
  effects.release('effect')
  const then = await settled(staying, run!.id)
  expect(then).toMatchObject({ status: 'SUCCEEDED', result: { by: 'staying' } })
  expect(then.attempts.map(({ number, status }) => [number, status])).toEqual([
    [1, 'CANCELED'],
    [2, 'SUCCEEDED'],
  ])
  expect(effects.of('effect').map(({ node }) => node)).toEqual(['leaving', 'staying'])
  expect(await code).toBe(0)
  expect(performance.now() - told).toBeLessThan(5_000)
  expect(await notesIn(staying)).toEqual(name === 'book' ? ['booked by staying'] : [])
})

test('an unsafe handler that does not finish in time is not repeated by another node', async () => {
  const { effects, leaving, staying } = await start({ SHUTDOWN_TIMEOUT_MS: '1000' })
  effects.hold('effect')
  const { run } = await leaving.execute({ name: 'wire', waitMs: 0 })
  await effects.arrived('effect')
  expect(await leaving.stop()).toBe(0)
  expect(await settled(staying, run!.id)).toMatchObject({ status: 'INDETERMINATE', attempts: [{ status: 'CANCELED' }] })
  expect(effects.of('effect')).toHaveLength(1)
})
