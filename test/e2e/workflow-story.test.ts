import { afterEach, expect, test } from 'vitest'
import { cleanUp } from '../db/embedded-support.ts'
import { oneTo, seqsOf, watchSse } from '../support/event-streams.ts'
import type { Onboarding } from '../support/onboarding.ts'
import { newWorld } from '../support/onboarding-world.ts'
import { type Services, startServices } from '../support/services.ts'
import { type ShownWorkflowRun, statesOf, workflowClient } from '../support/workflows.ts'

afterEach(cleanUp)

const EMAIL = 'ada@example.test'

/** What send-welcome-email says of its retries. */
const ATTEMPTS = 5

test('the mail server is down, the welcome fails, somebody brings it back and retries that step alone', {
  timeout: 60_000,
}, async () => {
  const world = await newWorld()
  // two processes, so that one can be down alone
  const [payments, mail] = await Promise.all([startServices(world.files), startServices(world.files)])
  const server = await world.serve(payments.paymentUrl, mail.smtpPort)
  await mail.kill()

  const { start, look } = workflowClient(server)
  const { run } = await start({ name: 'onboard-user', params: { email: EMAIL }, idempotencyKey: 'ada' })
  await end(server, run!.id)
  const failed = await look(run!.id)
  await expectFailedAtWelcome(server, failed, mail)
  expect(await world.effectsFor(EMAIL)).toMatchObject({ users: [{}], charges: [{ amountCents: 900 }], mails: [] })

  await startServices({ ...world.files, SMTP_PORT: `${mail.smtpPort}` })
  expect(await retryWelcome(server, run!.id)).toMatchObject({ replayed: false, run: { id: run!.id } })
  await end(server, run!.id)
  const succeeded = await look(run!.id)
  expectResumed(succeeded, failed)

  const { users, charges, mails } = await world.effectsFor(EMAIL)
  expect(users).toEqual([{ id: (succeeded.result as { userId: string }).userId }])
  expect(charges).toHaveLength(1)
  expect(mails).toHaveLength(1)
  expect(await world.charges()).toHaveLength(1)
  expect(await retryWelcome(server, run!.id)).toMatchObject({ code: 'INVALID_TRANSITION' })
  expect(await server.stop()).toBe(0)
})

/** Its stream is complete once the run has ended. */
async function end({ url }: Onboarding, id: string): Promise<void> {
  for await (const _ of watchSse(url, id));
}

/** The API says where it failed, and why, at each attempt. */
async function expectFailedAtWelcome(server: Onboarding, run: ShownWorkflowRun, mail: Services): Promise<void> {
  const why = expect.stringContaining(`ECONNREFUSED 127.0.0.1:${mail.smtpPort}`)
  expect(run).toMatchObject({
    status: 'FAILED',
    error: { code: 'STEP_FAILED', message: why, details: { step: 'welcome' } },
  })
  expect(run.error?.message).toMatch(/^Step "welcome" failed: /)
  expect(statesOf(run)).toEqual({ user: 'SUCCEEDED', resources: 'SUCCEEDED', payment: 'SUCCEEDED', welcome: 'FAILED' })
  const welcome = run.steps.find(({ key }) => key === 'welcome')!
  expect(welcome.error).toMatchObject({ message: why })
  expect(await attemptsOf(server, welcome.run.id)).toEqual(
    oneTo(ATTEMPTS).map((number) => ({ number, status: 'FAILED', error: { code: expect.any(String), message: why } })),
  )
  const last = run.events.slice(-2).map(({ step, to, reason }) => `${step} ${to} ${reason}`)
  expect(last).toEqual(['welcome FAILED RETRIES_EXHAUSTED', 'null FAILED STEP_FAILED'])
  expect(run.events.filter(({ reason }) => reason === 'RETRY_SCHEDULED')).toHaveLength(ATTEMPTS - 1)
}

async function attemptsOf(server: Onboarding, id: string): Promise<unknown> {
  const { run } = await server.query<{ run: { attempts: unknown } }>(
    'query($id: ID!) { run(id: $id) { attempts { number status error { code message } } } }',
    { id },
  )
  return run.attempts
}

async function retryWelcome(server: Onboarding, id: string): Promise<unknown> {
  const { retryRun } = await server.query<{ retryRun: unknown }>(
    `mutation($id: ID!) { retryRun(input: { id: $id, step: "welcome", reason: "the mail server is back" }) {
      ... on RetryRunPayload { replayed run { id status } } ... on Error { code message } } }`,
    { id },
  )
  return retryRun
}

/** Only the welcome ran again; its history and the other steps are as they were. */
function expectResumed(run: ShownWorkflowRun, before: ShownWorkflowRun): void {
  expect(run).toMatchObject({
    status: 'SUCCEEDED',
    error: null,
    result: { userId: expect.stringMatching(/^usr_/), chargeId: expect.stringMatching(/^ch_/) },
  })
  const others = ({ steps }: ShownWorkflowRun) => steps.filter(({ key }) => key !== 'welcome')
  expect(others(run)).toEqual(others(before))
  const welcome = run.steps.find(({ key }) => key === 'welcome')
  expect(welcome?.attempts.map(({ status }) => status)).toEqual([...Array(ATTEMPTS).fill('FAILED'), 'SUCCEEDED'])
  expect(seqsOf(run.events)).toEqual(oneTo(run.lastSeq))
  expect(run.events.slice(0, before.lastSeq)).toEqual(before.events)
  const retried = run.events.find(({ step, reason }) => step === 'welcome' && reason === 'RETRY_REQUESTED')
  expect(retried).toMatchObject({ actor: expect.any(String), data: { reason: 'the mail server is back' } })
}
