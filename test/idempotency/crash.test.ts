import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { type Effects, startEffects } from '../support/effects.ts'
import { effectCaller } from '../support/fixtures/call-effect.ts'
import { createBookings, stepwiseActions } from '../support/fixtures/stepwise-actions.ts'
import { notesIn } from '../support/notes.ts'
import { type ServerProcess, startServerProcess } from '../support/process.ts'
import { getRun, happened, settled } from '../support/runs.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

/** How long the victim's lease lasts; the successor moves durable time past it instead of waiting. */
const LEASE_MS = 60_000

/** A process to kill, and a server on the same database that takes over. */
async function twoNodes(): Promise<{ effects: Effects; victim: ServerProcess; successor: TestServer }> {
  const databaseUrl = await testDatabase()
  const effects = await startEffects()
  const env = { EFFECTS_URL: effects.url, NODE_NAME: 'victim', LEASE_MS: `${LEASE_MS}` }
  const [victim, successor] = await Promise.all([
    startServerProcess('stepwise-server', { databaseUrl, env }),
    startTestServer(stepwiseActions(effectCaller(effects.url, 'successor'), 'successor'), {
      databaseUrl,
      migrate: createBookings,
      leaseMs: 600_000,
    }),
  ])
  return { effects, victim, successor }
}

const keysOf = (effects: Effects, what: string) => effects.of(what).map(({ key }) => key)
const nodesOf = (effects: Effects, what: string) => effects.of(what).map(({ node }) => node)

test('5: killed in the middle of the handler: the key stays, and the work is driven on without its caller', async () => {
  const { effects, victim, successor } = await twoNodes()
  const input = { name: 'charge', idempotencyKey: 'invoice-1' }
  effects.hold('before')
  const { run } = await victim.execute({ ...input, waitMs: 0 })
  await effects.arrived('before')
  await victim.kill()
  effects.release('before')

  successor.advance(LEASE_MS)
  // nobody asks: the run goes on by itself
  expect(await settled(successor, run?.id ?? '')).toMatchObject({ status: 'SUCCEEDED', result: { by: 'successor' } })
  const replay = await successor.execute(input)
  expect(replay).toMatchObject({ replayed: true, run: { id: run?.id, result: { by: 'successor' } } })
  expect(nodesOf(effects, 'effect')).toEqual(['successor'])
})

test('5: a transactional handler killed in the middle has written nothing, and its second attempt writes once', async () => {
  const { effects, victim, successor } = await twoNodes()
  const input = { name: 'book', idempotencyKey: 'seat-1' }
  effects.hold('before')
  await victim.execute({ ...input, waitMs: 0 })
  await effects.arrived('before')
  await victim.kill()
  effects.release('before')

  successor.advance(LEASE_MS)
  const { run } = await successor.execute(input)
  expect(run).toMatchObject({ status: 'SUCCEEDED', attempts: [{ status: 'LOST' }, { status: 'SUCCEEDED' }] })
  expect(await notesIn(successor)).toEqual(['booked by successor'])
})

test('17: killed after the key is committed, before the handler starts: another node executes it, once', async () => {
  const { effects, victim, successor } = await twoNodes()
  const input = { name: 'checked', idempotencyKey: 'order-1', params: { total: 5 } }
  effects.hold('check')
  const submitting = victim.execute({ ...input, waitMs: 0 })
  ;(await effects.arrived('check')).answer()
  const { run: recorded } = await submitting
  // the params are being checked again, for the attempt: the next thing is to call the handler
  await effects.arrived('check', 2)
  await victim.kill()
  expect(recorded?.status).toBe('RUNNING')
  expect(effects.of('before')).toEqual([])
  effects.release('check')

  successor.advance(LEASE_MS)
  const { run, replayed } = await successor.execute(input)
  expect(replayed).toBe(true)
  expect(run).toMatchObject({ id: recorded?.id, status: 'SUCCEEDED', result: { by: 'successor' } })
  expect(run?.attempts.map(({ status }) => status)).toEqual(['LOST', 'SUCCEEDED'])
  expect(nodesOf(effects, 'before')).toEqual(['successor'])
  expect(effects.of('effect')).toHaveLength(1)
})

test('18: killed after the foreign effect, before it is recorded: executed again with the same downstream key', async () => {
  const { effects, victim, successor } = await twoNodes()
  const input = { name: 'charge', idempotencyKey: 'invoice-2' }
  effects.hold('effect')
  await victim.execute({ ...input, waitMs: 0 })
  await effects.arrived('effect')
  await victim.kill()
  effects.release('effect')

  successor.advance(LEASE_MS)
  const { run } = await successor.execute(input)
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: { by: 'successor' } })
  expect(run?.attempts).toMatchObject([{ status: 'LOST', error: { code: 'WORKER_LOST' } }, { status: 'SUCCEEDED' }])
  expect(nodesOf(effects, 'effect')).toEqual(['victim', 'successor'])
  // whoever is called sees one intent, and can do it once
  expect(new Set(keysOf(effects, 'effect')).size).toBe(1)
  expect(keysOf(effects, 'effect')[0]).toMatch(/^run_/)
})

test('19: killed after the effect of an unsafe action: INDETERMINATE, and never repeated by itself', async () => {
  const { effects, victim, successor } = await twoNodes()
  const input = { name: 'wire', idempotencyKey: 'transfer-1' }
  effects.hold('effect')
  await victim.execute({ ...input, waitMs: 0 })
  const call = await effects.arrived('effect')
  await victim.kill()
  effects.release('effect')

  successor.advance(LEASE_MS)
  const { run } = await successor.execute(input)
  expect(run).toMatchObject({ status: 'INDETERMINATE', attempts: [{ status: 'LOST' }] })
  expect(run?.events.at(-1)).toMatchObject({ from: 'RUNNING', to: 'INDETERMINATE', reason: 'OUTCOME_UNKNOWN' })

  // a day on, with all that was waiting for its time done, the effect has still happened once
  const tomorrow = new Date(Date.now() + LEASE_MS + 60_000).toISOString()
  const { run: later } = await successor.execute({ name: 'charge', runAt: tomorrow, waitMs: 0 })
  successor.advance(LEASE_MS + 60_000)
  await happened(successor, later?.id ?? '', 'COMPLETED')
  expect((await getRun(successor, run?.id ?? '')).status).toBe('INDETERMINATE')
  expect((await successor.execute(input)).run?.status).toBe('INDETERMINATE')
  expect(effects.of('effect').filter(({ key }) => key === call.key)).toEqual([call])

  // an operator who knows that it did not happen has it executed, with the same key
  await successor.query('mutation($id: ID!) { retryRun(input: { id: $id }) { __typename } }', { id: run?.id })
  expect((await settled(successor, run?.id ?? '')).status).toBe('SUCCEEDED')
  expect(effects.of('effect').filter(({ key }) => key === call.key)).toHaveLength(2)
})
