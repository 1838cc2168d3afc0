import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { Do } from '@do-sdk/core'
import { afterEach, expect, expectTypeOf, test } from 'vitest'
import type { onboardingActions } from '../../examples/onboarding/actions.ts'
import { cleanUp, newDataDir } from '../db/embedded-support.ts'
import { emptyDatabase } from '../support/database.ts'
import { oneTo, seqsOf } from '../support/event-streams.ts'
import { chargesIn, startOnboarding } from '../support/onboarding.ts'
import { API_KEY } from '../support/server.ts'

afterEach(cleanUp)

interface OnboardingApp {
  actions: ReturnType<typeof onboardingActions>
}

/** A port that nobody has at the moment: a server that restarts must come back to where its clients look for it. */
async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

test('the example of the documentation works as it stands, against a running server', async () => {
  const DO_DATA_DIR = await newDataDir()
  const server = await startOnboarding({ DATABASE_URL: await emptyDatabase(), DO_DATA_DIR })
  const given = { DO_API_KEY: process.env.DO_API_KEY, DO_URL: process.env.DO_URL }
  Object.assign(process.env, { DO_API_KEY: API_KEY, DO_URL: server.url })
  try {
    const a = new Do(process.env.DO_API_KEY)
    const { result, error } = await a.action.execute({
      name: 'send-welcome-email',
      params: { userId: 'usr_12345', template: 'new-user-welcome-v2' },
    })
    expect(error).toBeUndefined()
    expect(result).toEqual({ messageId: expect.stringMatching(/^<.+@onboarding\.example>$/) })
  } finally {
    for (const [name, value] of Object.entries(given)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }

  const typed = new Do<OnboardingApp>({ apiKey: API_KEY, url: server.url })
  const params = { customerId: 'cus_1', amountCents: 1_200 }
  const paid = await typed.action.execute({ name: 'process-payment', params, idempotencyKey: 'order-1' })
  if (paid.error) throw paid.error
  expectTypeOf(paid.result).toEqualTypeOf<{ chargeId: string; amountCents: number; currency: string }>()
  expect(paid).toMatchObject({ result: { amountCents: 1_200, currency: 'usd' }, replayed: false })
  const again = await typed.action.execute({ name: 'process-payment', params, idempotencyKey: 'order-1' })
  expect(again).toMatchObject({ result: paid.result, replayed: true, runId: paid.runId })
  expect((await chargesIn(DO_DATA_DIR)).get(paid.runId)).toBe(1)

  // @ts-expect-error no action has this name
  const unknown = await typed.action.execute({ name: 'no-such-action', params: {} })
  expect(unknown.error).toMatchObject({ code: 'ACTION_NOT_FOUND' })
  // @ts-expect-error the amount is a number
  const wrong = await typed.action.execute({ name: 'process-payment', params: { ...params, amountCents: 'much' } })
  expect(wrong.error).toMatchObject({ code: 'INVALID_PARAMS', issues: [{ path: 'amountCents' }] })
  expect(await server.stop()).toBe(0)
})

test('a watch goes on over a restart of the server, and so does a wait', { timeout: 60_000 }, async () => {
  const DO_DATA_DIR = await newDataDir()
  const PORT = `${await freePort()}`
  const env = { DATABASE_URL: await emptyDatabase(), DO_DATA_DIR, PORT, LEASE_MS: '1000', POLL_MS: '200' }
  const first = await startOnboarding(env)
  // a server on a busy machine takes some seconds to start
  const client = new Do<OnboardingApp>({ apiKey: API_KEY, url: first.url, retries: 30 })
  const { runId, error } = await client.action.execute({
    name: 'create-user',
    params: { email: 'ada@example.test' },
    runAt: new Date(Date.now() + 4_000),
    waitMs: 0,
  })
  expect(error?.code).toBe('TIMEOUT')
  const seen: { seq: number; reason: string }[] = []
  const events = client.run.watch(runId!)
  const begun = await events.next()
  seen.push(begun.value)
  const outcome = client.run.wait<{ id: string; email: string }>(runId!, { timeout: 30_000 })
  await first.kill()
  const second = await startOnboarding(env)
  expect(second.url).toBe(first.url)
  for await (const { seq, reason } of events) seen.push({ seq, reason })
  expect(seqsOf(seen)).toEqual(oneTo(4))
  expect(seen.map(({ reason }) => reason)).toEqual(['DELAYED', 'DUE', 'STARTED', 'COMPLETED'])
  expect(await outcome).toMatchObject({ error: undefined, result: { email: 'ada@example.test' } })
})
