import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { queryOf } from '../support/notes.ts'
import { operate } from '../support/operations.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { calledBy, definitionOf } from './definitions.ts'
import { broken, type Retry, replay } from './laws.ts'
import { Model } from './model.ts'
import { type Flags, type Plan, showPlan } from './plans.ts'
import { type RecordedRun, readRecorded } from './recorded-run.ts'
import { makeWorld, type World } from './world.ts'

export interface Case {
  readonly plan: Plan
  readonly flags: Flags
}

/** Where cases run: a server, what its actions do, and its database. */
export interface Ground {
  readonly server: TestServer
  readonly world: World
  readonly query: ReturnType<typeof queryOf>
  readonly defined: Map<string, Promise<unknown>>
  cases: number
}

export async function startGround(): Promise<Ground> {
  const world = makeWorld()
  const server = await startTestServer(world.actions, { leaseMs: 600_000, logLevel: 'silent' })
  return { server, world, query: queryOf(server.databaseUrl), defined: new Map(), cases: 0 }
}

/** A run that is under way. */
export interface Begun {
  readonly id: string
  readonly tag: string
}

const WAIT_MS = 60_000

/** Starts a case and, unless told otherwise, waits until it has ended. */
export async function begin(ground: Ground, { plan, flags }: Case, waitMs = WAIT_MS): Promise<Begun> {
  for (const definition of calledBy(plan)) await define(ground, definition)
  const tag = `case ${++ground.cases}`
  const input = { definition: definitionOf(plan), params: { tag, flags }, waitMs }
  const { startWorkflow } = await ground.server.query<{ startWorkflow: { run?: { id: string } } }>(
    `mutation($input: StartWorkflowInput!) { startWorkflow(input: $input) { __typename
      ... on StartWorkflowPayload { run { id } } ... on Error { message }
      ... on InvalidDefinitionError { issues { path message } } } }`,
    { input },
  )
  if (!startWorkflow.run) throw new Error(JSON.stringify(startWorkflow))
  return { id: startWorkflow.run.id, tag }
}

/** Each once, however many plans call it: those that are under way are waited for. */
function define({ server, defined }: Ground, definition: object): Promise<unknown> {
  const name = String(Reflect.get(definition, 'name'))
  const known = defined.get(name)
  if (known) return known
  const asked = server.query(
    `mutation($definition: JSON!) { defineWorkflow(input: { definition: $definition }) { __typename } }`,
    { definition },
  )
  defined.set(name, asked)
  return asked
}

export async function ended({ query }: Ground, { id }: Begun): Promise<RecordedRun> {
  const deadline = Date.now() + WAIT_MS
  let recorded: RecordedRun | undefined
  await until(async () => {
    recorded = (await readRecorded(query, [id])).get(id)
    return isOver(recorded) || Date.now() > deadline || sleep(20, false)
  })
  if (!isOver(recorded)) throw new Error(`the run has not ended: ${showStates(recorded!.states)}`)
  return recorded!
}

function isOver(recorded: RecordedRun | undefined): boolean {
  return ['SUCCEEDED', 'FAILED', 'CANCELED', 'COMPENSATED'].includes(recorded?.states.get('') ?? '')
}

/** Asks for something, and says what became of it. */
export async function ask(ground: Ground, what: string, input: object): Promise<string> {
  return (await operate(ground.server, what, input)).__typename
}

/** Compares a run with the model, checks every law, and counts what was done. */
export function check({ world }: Ground, drawn: Case, recorded: RecordedRun, retries: readonly Retry[]): void {
  const model = compare(drawn, recorded, retries)
  expect(wrongCounts(world, recorded, model)).toEqual([])
}

/** Compares a run with the model that has been driven through it, and checks every law. */
export function compare({ plan, flags }: Case, recorded: RecordedRun, retries: readonly Retry[]): Model {
  const model = new Model(plan, flags)
  try {
    replay(model, recorded.events, retries)
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${showEvents(recorded)}`)
  }
  const wrong = [...wrongStates(recorded.states, model.states), ...broken(recorded, model)]
  if (wrong.length > 0) expect.fail(`${wrong.join('\n')}\n${showEvents(recorded)}`)
  return model
}

function wrongStates(recorded: ReadonlyMap<string, string>, modeled: Readonly<Record<string, string>>): string[] {
  const paths = new Set([...recorded.keys(), ...Object.keys(modeled)])
  return [...paths]
    .filter((path) => recorded.get(path) !== modeled[path])
    .map((path) => `${path || 'run'} is ${recorded.get(path)}, in the model ${modeled[path]}`)
}

/** What succeeded did its work once, what was undone was undone once; only what was cut may have done it or not. */
function wrongCounts(world: World, { runIds, undoIds }: RecordedRun, model: Model): string[] {
  return model.nodes.flatMap((node) => {
    if (node.kind !== 'action') return []
    const { successes, cuts, undone } = model.tallyOf(node)
    const done = world.done.get(runIds.get(node.path) ?? '') ?? 0
    const undos = world.undone.get(undoIds.get(node.path) ?? '') ?? 0
    return [
      ...(done < successes || done > successes + cuts ? [`${node.path} was done ${done} times, not ${successes}`] : []),
      ...(undos !== undone ? [`${node.path} was undone ${undos} times, not ${undone}`] : []),
    ]
  })
}

function showEvents({ events }: RecordedRun): string {
  return events
    .map(({ seq, path, undoing, to, reason }) => `${seq} ${undoing ? 'undo ' : ''}${path || 'run'} ${to} ${reason}`)
    .join('\n')
}

function showStates(states: ReadonlyMap<string, string>): string {
  return [...states].map(([path, status]) => `${path || 'run'} ${status}`).join(', ')
}

/** A case that failed, on as few lines as possible. */
export function showCase({ plan, flags }: Case, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return `flags a=${flags.a} b=${flags.b}\n${showPlan(plan)}\n\n${message}`
}
