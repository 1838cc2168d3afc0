import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { cleanUp } from '../db/embedded-support.ts'
import { eventGate } from '../support/event-gate.ts'
import { oneTo, seqsOf, watchSse } from '../support/event-streams.ts'
import { queryOf } from '../support/notes.ts'
import type { Onboarding } from '../support/onboarding.ts'
import { newWorld, type World } from '../support/onboarding-world.ts'
import { uuidOf } from '../support/runs.ts'
import { startServices } from '../support/services.ts'
import { type ShownWorkflowRun, type StartAnswer, statesOf, workflowClient } from '../support/workflows.ts'

afterEach(cleanUp)

/** So many runs of the long variant, each cut three times at random moments. */
const RANDOM_RUNS = Number(process.env.WORKFLOW_KILLS ?? 0)

const ALL_SUCCEEDED = { user: 'SUCCEEDED', resources: 'SUCCEEDED', payment: 'SUCCEEDED', welcome: 'SUCCEEDED' }

/** Servers that come and go, one at a time, over a world that stays. */
class Succession {
  readonly world: World
  server: Onboarding
  private readonly serve: () => Promise<Onboarding>

  private constructor(world: World, server: Onboarding, serve: () => Promise<Onboarding>) {
    this.world = world
    this.server = server
    this.serve = serve
  }

  static async begin(): Promise<Succession> {
    const world = await newWorld()
    const { paymentUrl, smtpPort } = await startServices(world.files)
    const serve = () => world.serve(paymentUrl, smtpPort)
    return new Succession(world, await serve(), serve)
  }

  /** @param moment comes; then the server is killed, and the next one started. */
  async killAt(moment: Promise<unknown>, meanwhile = async () => {}): Promise<void> {
    await moment
    await this.server.kill()
    await meanwhile()
    this.server = await this.serve()
  }

  start(name: string): Promise<StartAnswer> {
    const params = { email: emailOf(name), plan: 'team' }
    const start = workflowClient(this.server).start({ name: 'onboard-user', params, idempotencyKey: name })
    // a kill may take the answer away: whoever is interested looks
    start.catch(() => {})
    return start
  }

  /** The run of a caller that repeats its call where the answer got lost; once the run has ended. */
  async outcome(name: string, started: Promise<StartAnswer>): Promise<ShownWorkflowRun> {
    const { run, message } = await started.catch(() => this.start(name))
    if (!run) throw new Error(message)
    for await (const _ of watchSse(this.server.url, run.id));
    return workflowClient(this.server).look(run.id)
  }
}

const emailOf = (name: string) => `${name}@example.test`

/** It succeeded, its record is whole, and everything that it does to the world was done once. */
async function expectOnce({ world }: Succession, name: string, run: ShownWorkflowRun): Promise<void> {
  expect(run, name).toMatchObject({ status: 'SUCCEEDED', error: null })
  expect(statesOf(run), name).toEqual(ALL_SUCCEEDED)
  expect(seqsOf(run.events), name).toEqual(oneTo(run.lastSeq))
  // the payment has a business key: its attempts are those of the run that it waits for
  for (const { attempts } of run.steps.filter(({ key }) => key !== 'payment')) {
    expect(attempts.map(({ number }) => number)).toEqual(oneTo(attempts.length))
    expect(attempts.filter(({ status }) => status === 'SUCCEEDED')).toHaveLength(1)
  }
  const { users, charges, mails } = await world.effectsFor(emailOf(name))
  expect(users, name).toHaveLength(1)
  expect(charges, name).toMatchObject([{ amountCents: 4_900 }])
  // a mail server takes a mail twice, and shows it once: by its Message-ID
  expect(new Set(mails.map(({ messageId }) => messageId)).size, name).toBe(1)
}

/** The attempts that a kill cut. */
function lostIn({ steps }: ShownWorkflowRun): number {
  return steps.flatMap(({ attempts }) => attempts).filter(({ status }) => status === 'LOST').length
}

test('killed as soon as an event is seen, whichever, a workflow goes on and does everything once', {
  timeout: 120_000,
}, async () => {
  const servers = await Succession.begin()
  let lost = 0
  const cuts = await cutsOf(servers)
  for (const seq of cuts) {
    const name = `seen-${seq}`
    const started = servers.start(name)
    await servers.killAt(seen(servers.server, started, seq))
    const run = await servers.outcome(name, started)
    await expectOnce(servers, name, run)
    lost += lostIn(run)
  }
  expect(lost).toBeGreaterThan(0)
  expect(await servers.world.charges()).toHaveLength(1 + cuts.length)
})

async function seen({ url }: Onboarding, started: Promise<StartAnswer>, after: number): Promise<void> {
  const { run } = await started
  for await (const { seq } of watchSse(url, run!.id)) if (seq >= after) return
}

test('killed with its work done and the commit of it under way, a workflow does everything once', {
  timeout: 120_000,
}, async () => {
  const servers = await Succession.begin()
  const cuts = [0, ...(await cutsOf(servers))]
  const gate = await eventGate(servers.world.databaseUrl)
  for (const seq of cuts) {
    const name = `held-${seq}`
    await gate.closeAfter(seq)
    const started = servers.start(name)
    await servers.killAt(gate.holds(), gate.open)
    await expectOnce(servers, name, await servers.outcome(name, started))
  }
  expect(await servers.world.charges()).toHaveLength(1 + cuts.length)
})

/**
 * Between which events a run can be cut, by the number of the one before: a run that nobody disturbs shows it. Nothing lies
 * between those that are committed together.
 */
async function cutsOf(servers: Succession): Promise<number[]> {
  const run = await servers.outcome('undisturbed', servers.start('undisturbed'))
  await expectOnce(servers, 'undisturbed', run)
  const commits = await queryOf(servers.world.databaseUrl)<{ seq: number }[]>`
    select max(coalesce(last_seq, seq)) as seq from action_do.written_events where root_id = ${uuidOf(run.id)} group by xmin::text order by seq`
  const cuts = commits.map(({ seq }) => seq).slice(0, -1)
  expect(cuts.length).toBeGreaterThan(3)
  return cuts
}

const long = { timeout: 20_000 * RANDOM_RUNS }

test.skipIf(RANDOM_RUNS === 0)('killed three times at random moments, it does everything once', long, async () => {
  const servers = await Succession.begin()
  for (let n = 1; n <= RANDOM_RUNS; n++) {
    const name = `random-${n}`
    const started = servers.start(name)
    for (let kill = 0; kill < 3; kill++) await servers.killAt(sleep(Math.random() * 1_500))
    await expectOnce(servers, name, await servers.outcome(name, started))
  }
  expect(await servers.world.charges()).toHaveLength(RANDOM_RUNS)
})
