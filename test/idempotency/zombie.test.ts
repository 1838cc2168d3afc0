import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { type Effects, startEffects } from '../support/effects.ts'
import { effectCaller } from '../support/fixtures/call-effect.ts'
import { createBookings, stepwiseActions } from '../support/fixtures/stepwise-actions.ts'
import { type ServerProcess, startServerProcess } from '../support/process.ts'
import { type DatabaseProxy, startProxy } from '../support/proxy.ts'
import { getRun, happened, settled } from '../support/runs.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

/** The write that ends an attempt, and the look at the run that follows when it changed nothing. */
const END_OF_ATTEMPT = /"expectedSeq"/
const LOOK_AT_RUN = /as i\(bucket int2, id uuid\)/

interface Nodes {
  readonly effects: Effects
  readonly zombie: ServerProcess
  readonly proxy: DatabaseProxy
  readonly successor: TestServer
}

/** A process to stop, all of whose statements pass a proxy, and a server on the same database that takes over. */
async function twoNodes(env: Record<string, string>, leaseMs = 600_000): Promise<Nodes> {
  const databaseUrl = await testDatabase()
  const [effects, proxy] = [await startEffects(), await startProxy(databaseUrl)]
  const given = { EFFECTS_URL: effects.url, NODE_NAME: 'zombie', ...env }
  const [zombie, successor] = await Promise.all([
    startServerProcess('stepwise-server', { databaseUrl: proxy.url, env: given }),
    startTestServer(stepwiseActions(effectCaller(effects.url, 'successor'), 'successor'), {
      databaseUrl,
      migrate: createBookings,
      leaseMs,
    }),
  ])
  return { effects, zombie, proxy, successor }
}

/** One that looks at nothing when it wakes: so nothing but the fence keeps it from writing. */
const BLIND = { LEASE_MS: '300000', POLL_MS: '60000', DO_NOTIFY: 'off' }

test('22: stopped past its lease, a successor finishes, then it wakes: its write is refused by the fence', async () => {
  const { effects, zombie, proxy, successor } = await twoNodes(BLIND)
  effects.hold('effect')
  const answer = zombie.execute({ name: 'deaf', idempotencyKey: 'invoice-1' })
  const before = await effects.arrived('effect')
  await zombie.freeze()
  successor.advance(Number(BLIND.LEASE_MS))
  ;(await effects.arrived('effect', 2)).answer()
  const finished = await settled(successor, before.key)
  expect(finished).toMatchObject({ status: 'SUCCEEDED', result: { by: 'successor' } })

  const wrote = proxy.sent(END_OF_ATTEMPT)
  before.answer()
  zombie.thaw()
  await wrote
  // the caller whom the zombie kept waiting gets the run's outcome, not the zombie's own
  expect((await answer).run).toEqual(finished)
  expect(await getRun(successor, before.key)).toEqual(finished)
  expect(finished.attempts.map(({ status }) => status)).toEqual(['LOST', 'SUCCEEDED'])
})

test("23: the zombie's foreign call after the takeover carries the same downstream key", async () => {
  const { effects, zombie, proxy, successor } = await twoNodes(BLIND)
  effects.hold('before')
  effects.hold('effect')
  await zombie.execute({ name: 'deaf', idempotencyKey: 'invoice-1', waitMs: 0 })
  const { key: id, ...before } = await effects.arrived('before')
  await zombie.freeze()
  successor.advance(Number(BLIND.LEASE_MS))
  ;(await effects.arrived('before', 2)).answer()
  const rightful = await effects.arrived('effect')

  before.answer()
  zombie.thaw()
  const late = await effects.arrived('effect', 2)
  expect([rightful.node, late.node]).toEqual(['successor', 'zombie'])
  expect(late.key).toBe(rightful.key)
  // its write changes nothing while the successor is still at work, on a run that is RUNNING for both of them
  const wrote = proxy.sent(END_OF_ATTEMPT)
  late.answer()
  await wrote
  await proxy.sent(LOOK_AT_RUN)
  const run = await getRun(successor, id)
  expect(run).toMatchObject({ status: 'RUNNING', result: null })
  expect(run.events.map(({ reason }) => reason)).toEqual(['STARTED', 'WORKER_LOST', 'STARTED'])

  rightful.answer()
  expect(await settled(successor, id)).toMatchObject({ status: 'SUCCEEDED', result: { by: 'successor' } })
})

test('22: a process that finds its lease expired aborts what it held, and works on under a new one', async () => {
  const { effects, zombie, successor } = await twoNodes({ LEASE_MS: '1000' }, 3_000)
  effects.hold('effect')
  const answer = zombie.execute({ name: 'charge', idempotencyKey: 'invoice-1' })
  const { key: id } = await effects.arrived('effect')
  await zombie.freeze()
  // by the clock alone: a second later
  await happened(successor, id, 'WORKER_LOST')
  ;(await effects.arrived('effect', 2)).answer()
  const finished = await settled(successor, id)
  zombie.thaw()
  expect((await answer).run).toEqual(finished)
  expect(finished).toMatchObject({ status: 'SUCCEEDED', result: { by: 'successor' } })

  // the effect that it had begun is never answered: only the abort can have ended that handler
  effects.hold('before')
  const next = zombie.execute({ name: 'charge', idempotencyKey: 'invoice-2' })
  const { key } = await effects.arrived('before', 3)
  effects.release('before')
  ;(await effects.arrived('effect', 3)).answer()
  expect((await next).run).toMatchObject({ id: key, status: 'SUCCEEDED', attempts: [{ number: 1 }] })
})
