import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { queryOf } from '../support/notes.ts'
import { type ServerProcess, startServerProcess } from '../support/process.ts'
import { until } from '../support/until.ts'
import { anyCase } from '../workflow/any-plan.ts'
import { type Case, compare, showCase } from '../workflow/case-runner.ts'
import { calledBy, definitionOf } from '../workflow/definitions.ts'
import type { Model } from '../workflow/model.ts'
import { behavioursIn } from '../workflow/plans.ts'
import { type RecordedRun, readRecorded } from '../workflow/recorded-run.ts'

/** In CI; RANDOM_GRAPHS_KILLS asks for more. */
const GRAPHS = Number(process.env.RANDOM_GRAPHS_KILLS ?? 60)
const SEED = Number(process.env.RANDOM_GRAPHS_SEED ?? Date.now() % 2_147_483_647)
/** So many under way at once. */
const LANES = 12
/** Of life for a server, on average; half as long as its start took, where that is more, or a busy machine would do nothing but start servers. */
const KILL_AFTER_MS = 1_000

/** Two servers, each killed again and again. */
class Pair {
  kills = 0
  private startMs = 0
  private readonly servers: ServerProcess[] = []
  private stopped = false
  private killing: Promise<unknown> | undefined
  private readonly databaseUrl: string

  constructor(databaseUrl: string) {
    this.databaseUrl = databaseUrl
  }

  async start(): Promise<void> {
    // one after the other, for both would make the tables
    for (const at of [0, 1]) this.servers[at] = await this.another()
    this.killing = Promise.all([0, 1].map((at) => this.keepKilling(at)))
  }

  async stop(): Promise<void> {
    this.stopped = true
    await this.killing
  }

  private async another(): Promise<ServerProcess> {
    const asked = performance.now()
    const server = await startServerProcess('graphs-server', {
      databaseUrl: this.databaseUrl,
      env: { MAX_LOSSES: '1000' },
    })
    this.startMs = performance.now() - asked
    return server
  }

  private async keepKilling(at: number): Promise<void> {
    for (;;) {
      await sleep(Math.max(KILL_AFTER_MS, this.startMs / 2) * (0.5 + Math.random()))
      if (this.stopped) return
      await this.servers[at]!.kill()
      this.kills++
      this.servers[at] = await this.another()
    }
  }

  /** Asks either of them, until one has answered. */
  async ask<T>(document: string, variables: object): Promise<T> {
    for (let turn = 0; ; turn++) {
      const { body } = await this.servers[turn % 2]!.post({ query: document, variables }).catch(() => ({
        body: {} as never,
      }))
      if (body.data) return body.data as T
      await sleep(50)
    }
  }
}

/** Starts a case once, whoever of the two takes it. */
async function begin(servers: Pair, { plan, flags }: Case, idempotencyKey: string): Promise<string> {
  for (const definition of calledBy(plan))
    await servers.ask(
      'mutation($definition: JSON!) { defineWorkflow(input: { definition: $definition }) { __typename } }',
      {
        definition,
      },
    )
  const input = { definition: definitionOf(plan), params: { tag: idempotencyKey, flags }, idempotencyKey }
  const { startWorkflow } = await servers.ask<{ startWorkflow: { run: { id: string } } }>(
    `mutation($input: StartWorkflowInput!) { startWorkflow(input: $input) { __typename
      ... on StartWorkflowPayload { run { id } } ... on Error { message } } }`,
    { input },
  )
  return startWorkflow.run.id
}

/** What has been lost or has failed may have had an effect, and is not canceled: there the model does not look so closely. */
function withoutRepeats(drawn: Case): Case {
  const copy = structuredClone(drawn)
  for (const behaviour of behavioursIn(copy.plan)) if (typeof behaviour.does === 'number') behaviour.does = 'works'
  return copy
}

const anyKilled = fc.oneof(anyCase('settled'), anyCase('undoing').map(withoutRepeats))

test(`${GRAPHS} random graphs end as the model says while their servers are killed, and do everything once`, {
  timeout: 120_000 + GRAPHS * 5_000,
}, async () => {
  const databaseUrl = await testDatabase()
  const query = queryOf(databaseUrl)
  const servers = new Pair(databaseUrl)
  await servers.start()
  const cases = fc.sample(anyKilled, { seed: SEED, numRuns: GRAPHS })
  const ids: string[] = []
  let next = 0
  const lane = async () => {
    while (next < cases.length) {
      const n = next++
      const id = await begin(servers, cases[n]!, `case ${n}`)
      ids[n] = id
      await until(async () => isOver(await readRecorded(query, [id]), id) || sleep(100, false))
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  await servers.stop()

  const recorded = await readRecorded(query, ids)
  const deeds = countsOf(await query<{ key: string }[]>`select key from deeds`)
  const calls = countsOf(await query<{ key: string }[]>`select key from calls`)
  for (const [n, id] of ids.entries()) expectAsModeled(cases[n]!, recorded.get(id)!, deeds, calls)
  const lost = [...recorded.values()].flatMap(({ events }) => events.filter(({ reason }) => reason === 'WORKER_LOST'))
  expect(servers.kills).toBeGreaterThan(2)
  expect(lost.length).toBeGreaterThan(0)
})

function isOver(recorded: ReadonlyMap<string, RecordedRun>, id: string): boolean {
  return ['SUCCEEDED', 'FAILED', 'COMPENSATED'].includes(recorded.get(id)?.states.get('') ?? '')
}

function countsOf(rows: readonly { key: string }[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { key } of rows) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}

type Counts = ReadonlyMap<string, number>

function expectAsModeled(drawn: Case, recorded: RecordedRun, deeds: Counts, calls: Counts): void {
  try {
    const model = compare(drawn, recorded, [])
    expect(wrongEffects(recorded, model, deeds, calls)).toEqual([])
  } catch (error) {
    expect.fail(`RANDOM_GRAPHS_SEED=${SEED}\n${showCase(drawn, error)}`)
  }
}

/** A transactional effect is there exactly once where its run succeeded, and nowhere else; a call at least where it did. */
function wrongEffects({ runIds, undoIds }: RecordedRun, model: Model, deeds: Counts, calls: Counts): string[] {
  return model.nodes.flatMap((node) => {
    if (node.kind !== 'action') return []
    const { successes, undone } = model.tallyOf(node)
    const done = (node.behaviour!.undo === 'none' ? deeds : calls).get(runIds.get(node.path) ?? '') ?? 0
    const undos = calls.get(undoIds.get(node.path) ?? '') ?? 0
    return [
      ...(done !== successes ? [`${node.path} was done ${done} times, not ${successes}`] : []),
      ...(undos !== undone ? [`${node.path} was undone ${undos} times, not ${undone}`] : []),
    ]
  })
}
