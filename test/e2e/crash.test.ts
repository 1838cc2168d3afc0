import { afterEach, expect, test } from 'vitest'
import { cleanUp, newDataDir } from '../db/embedded-support.ts'
import { watchSse } from '../support/event-streams.ts'
import { chargesIn, type Onboarding, payment, startOnboarding } from '../support/onboarding.ts'
import { latch } from '../support/runs.ts'
import { EXECUTE, type ExecuteAnswer, type ShownRun } from '../support/server.ts'

afterEach(cleanUp)

const CALLERS = 16
const ACKNOWLEDGED = 200

test('a server that is killed under load loses nothing that it acknowledged', { timeout: 60_000 }, async () => {
  const DO_DATA_DIR = await newDataDir()
  const env = { DO_DATA_DIR, LEASE_MS: '1000', POLL_MS: '200' }
  const killed = await startOnboarding(env)
  // so slow that some are under way at any time
  await behave(killed, { mode: 'slow', delayMs: 20 })
  const acknowledged = await killUnderLoad(killed)

  const next = await startOnboarding(env)
  const runs = await Promise.all(acknowledged.map((id) => outcomeOf(next, id)))
  expect(runs.filter(({ status }) => status !== 'SUCCEEDED')).toEqual([])
  const lost = runs.filter(({ attempts }) => attempts.some(({ status }) => status === 'LOST'))
  expect(lost.length).toBeGreaterThan(0)
  for (const { events } of runs) expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1))

  const charges = await chargesIn(DO_DATA_DIR)
  expect([...charges].filter(([, times]) => times !== 1)).toEqual([])
  const paid = runs.filter(({ result }) => 'chargeId' in (result as object))
  expect(paid.length).toBeGreaterThan(50)
  for (const { id } of paid) expect(charges.get(id)).toBe(1)
  expect(await next.stop()).toBe(0)
})

/** Callers send one action after the other until the server is killed. Answers with the runs that were acknowledged. */
async function killUnderLoad(server: Onboarding): Promise<string[]> {
  const acknowledged: string[] = []
  const enough = latch()
  let n = 0
  const call = async () => {
    for (;;) {
      const input = ++n % 2 ? payment(n) : { name: 'create-user', params: { email: `user${n}@example.test` } }
      const { body } = await server.post({
        query: EXECUTE,
        variables: { input: { ...input, waitMs: n % 3 ? 0 : 5_000 } },
      })
      const answer = body.data?.executeAction as ExecuteAnswer
      if (answer.run) acknowledged.push(answer.run.id)
      if (acknowledged.length >= ACKNOWLEDGED) enough.open()
    }
  }
  const callers = Promise.allSettled(Array.from({ length: CALLERS }, call))
  await enough.opened
  await server.kill()
  await callers
  return acknowledged
}

/** The run once it has ended. */
async function outcomeOf(server: Onboarding, id: string): Promise<ShownRun> {
  for await (const _ of watchSse(server.url, id));
  const { run } = await server.query<{ run: ShownRun }>(
    `query($id: ID!) { run(id: $id) { id status result attempts { status } events { seq } } }`,
    { id },
  )
  return run
}

async function behave({ paymentUrl }: Onboarding, behavior: object): Promise<void> {
  await fetch(`${paymentUrl}/behavior`, { method: 'POST', body: JSON.stringify(behavior) })
}
