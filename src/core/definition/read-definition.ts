import { byteLength, jsonIssues } from '../json.ts'
import { MAX_DELAY_MS } from '../retry.ts'
import { type Graph, ON_ERROR } from '../workflow/graph.ts'
import type { GraphLogic, StepLogic } from '../workflow/logic.ts'
import { InvalidDefinitionError } from './definition-error.ts'
import { Issues, shown } from './issues.ts'
import { MAX_DEFINITION_BYTES, MAX_DESCRIPTION_LENGTH, MAX_NAME_LENGTH, MAX_STEPS } from './limits.ts'
import { defined, isObject, type JsonObject, Members } from './members.ts'
import { Places } from './place.ts'
import { checkOrder, type GivenStep, readEdges } from './read-edges.ts'
import { checkCompletes } from './read-list.ts'
import { type ReadStep, readStep } from './read-step.ts'
import type { Known, Reading } from './reading.ts'
import { acceptSchema } from './schema-acceptance.ts'
import { checkBySchema } from './schema-check.ts'
import { KINDS, NAME, RESERVED_KEYS, STEP_KEY } from './step-kinds.ts'

export interface ReadDefinition {
  readonly graph: Graph
  readonly logic: GraphLogic
}

const MEMBERS: ReadonlySet<string> = new Set([
  ...['$schema', 'name', 'version', 'description', 'onError', 'deadlineMs', 'paramsSchema', 'steps', 'result'],
])

/** Reads a definition: its structure and, compiled, its expressions. @throws InvalidDefinitionError */
export function readDefinition(value: unknown, known: Known): ReadDefinition {
  const issues = new Issues()
  refuseUnreadable(value, issues)
  const object = value as JsonObject
  const members = new Members(object, [], issues)
  members.allow(MEMBERS, 'a definition')
  const steps = givenSteps(members, issues)
  const keys = new Set(steps.map(({ key }) => key))
  const edges = readEdges(steps, issues)
  const places = new Places(keys, issues)
  const read = steps.map((step) => readGiven(step, edges, { issues, places, known, keys }))
  members.text('$schema', MAX_DESCRIPTION_LENGTH)
  const result = members.has('result') ? places.template(object.result, ['result'], undefined) : undefined
  const checkParams = readParamsSchema(members, issues)
  const head = readHead(members)
  checkOrder(steps, edges, places.uses, issues)
  checkCompletes(steps, issues)
  throwIfAny(issues)
  const found = read.filter((step) => step !== undefined)
  return {
    graph: { ...head, steps: found.map(({ spec }) => spec), definition: withoutSchema(object) },
    logic: {
      checkParams,
      steps: new Map<string, StepLogic>(found.map(({ spec, logic }) => [spec.key, logic])),
      ...defined({ result }),
    },
  }
}

/** `$schema` is for editors: the graph is the same with any, and without. */
export function withoutSchema(definition: JsonObject): JsonObject {
  if (!Object.hasOwn(definition, '$schema')) return definition
  const { $schema: _, ...rest } = definition
  return rest
}

/** What cannot be looked at in detail: no object, too many steps, not plain JSON, or too large. */
function refuseUnreadable(value: unknown, issues: Issues): void {
  if (!isObject(value)) issues.add([], `is ${shown(value)}; it must be an object`)
  // before anything walks through them
  else if (Array.isArray(value.steps) && value.steps.length > MAX_STEPS)
    issues.add(['steps'], `has ${value.steps.length} steps; a definition may have ${MAX_STEPS}`)
  throwIfAny(issues)
  for (const { path, message } of jsonIssues(value)) issues.add([path], message)
  throwIfAny(issues)
  const bytes = byteLength(JSON.stringify(value))
  if (bytes > MAX_DEFINITION_BYTES)
    issues.add([], `takes ${bytes} bytes; a definition may take ${MAX_DEFINITION_BYTES}`)
  throwIfAny(issues)
}

function throwIfAny(issues: Issues): void {
  if (issues.list.length > 0) throw new InvalidDefinitionError(issues.list)
}

function readHead(members: Members): Omit<Graph, 'steps' | 'definition'> {
  if (!members.has('name')) members.wrong('name', 'is missing')
  return {
    name: members.name('name', NAME, MAX_NAME_LENGTH) ?? '',
    version: members.text('version', MAX_NAME_LENGTH) ?? '1',
    onError: members.choice('onError', ON_ERROR) ?? 'fail',
    ...defined({
      description: members.text('description', MAX_DESCRIPTION_LENGTH),
      deadlineMs: members.whole('deadlineMs', 1, MAX_DELAY_MS),
    }),
  }
}

function readParamsSchema(members: Members, issues: Issues): GraphLogic['checkParams'] {
  const schema = members.get('paramsSchema')
  if (members.has('paramsSchema') && acceptSchema(schema, ['paramsSchema'], issues))
    return (params) => checkBySchema(schema, params)
  return (params) => ({ ok: true, value: params })
}

/** The steps that can be told apart: objects with a key of their own. */
function givenSteps(members: Members, issues: Issues): GivenStep[] {
  const given = members.get('steps')
  if (!Array.isArray(given) || given.length === 0) {
    members.wrong(
      'steps',
      given === undefined ? 'is missing' : `is ${shown(given)}; it must be a list of steps, not empty`,
    )
    return []
  }
  const keys = new Set<string>()
  return given.flatMap((object: unknown, index) => {
    const path = ['steps', index]
    if (!isObject(object)) {
      issues.add(path, `is ${shown(object)}; it must be a step, which is an object`)
      return []
    }
    const key = readKey(new Members(object, path, issues), keys)
    return key === undefined ? [] : [{ key, object, path }]
  })
}

function readKey(members: Members, taken: Set<string>): string | undefined {
  if (!members.has('key')) return members.wrong('key', 'is missing')
  const key = members.name('key', STEP_KEY, MAX_NAME_LENGTH)
  if (key === undefined) return undefined
  if (RESERVED_KEYS.has(key)) return members.wrong('key', `is ${shown(key)}, which means something else in expressions`)
  if (taken.has(key)) return members.wrong('key', `is ${shown(key)}, which another step has already`)
  taken.add(key)
  return key
}

function readGiven(
  { key, object, path }: GivenStep,
  edges: ReadonlyMap<string, readonly string[]>,
  shared: Reading,
): ReadStep | undefined {
  // the first few mistakes are found: the rest would only take time
  if (shared.issues.full) return undefined
  const kinds = KINDS.filter((kind) => Object.hasOwn(object, kind))
  const [kind] = kinds
  if (kind === undefined || kinds.length > 1) {
    shared.issues.add(
      path,
      `has ${kinds.join(' and ') || 'nothing to do'}; a step has exactly one of ${KINDS.join(', ')}`,
    )
    return undefined
  }
  const members = new Members(object, path, shared.issues)
  return readStep({ ...shared, key, kind, object, members, path }, edges.get(key) ?? [])
}
