import { MAX_DELAY_MS } from '../retry.ts'
import type { SignalWork, StepWork } from '../workflow/graph.ts'
import type { StepLogic } from '../workflow/logic.ts'
import { shown } from './issues.ts'
import { MAX_NAME_LENGTH } from './limits.ts'
import { isObject } from './members.ts'
import type { Evaluate, PlaceNames } from './place.ts'
import type { StepReading } from './reading.ts'
import { acceptSchema } from './schema-acceptance.ts'
import { checkBySchema } from './schema-check.ts'
import { NAME, SIGNAL_NAME } from './step-kinds.ts'

/** What a step does, and what its expressions are. */
export interface Work {
  readonly work: StepWork
  readonly logic: Pick<StepLogic, 'input' | 'checkPayload'>
}

/** @param names what the params of a call may name. */
export function readWork(step: StepReading, names: PlaceNames): Work {
  switch (step.kind) {
    case 'action':
    case 'workflow':
      return readCall(step, step.kind, names)
    case 'value':
      return { work: { kind: 'value' }, logic: { input: template(step, 'value') } }
    case 'sleep':
    case 'sleepUntil':
      return { work: { kind: 'sleep' }, logic: { input: readSleep(step, step.kind) } }
    default:
      return readSignal(step, step.kind)
  }
}

function template({ members, places, key }: StepReading, member: string, names: PlaceNames = 'none'): Evaluate {
  return places.template(members.get(member), members.at(member), key, names)
}

function readCall(step: StepReading, kind: 'action' | 'workflow', names: PlaceNames): Work {
  const { members, known } = step
  const name = members.name(kind, NAME, MAX_NAME_LENGTH) ?? ''
  const exists = kind === 'action' ? known.hasAction(name) : known.hasWorkflow(name)
  if (name !== '' && !exists) members.wrong(kind, `is ${shown(name)}, which is not registered`)
  const given = members.get('params')
  if (given !== undefined && typeof given !== 'string' && !isObject(given))
    members.wrong('params', `is ${shown(given)}; it must be an object, or a text with an expression that gives one`)
  const logic = given === undefined ? {} : { input: template(step, 'params', names) }
  return { work: { kind, name }, logic }
}

function readSleep(step: StepReading, kind: 'sleep' | 'sleepUntil'): Evaluate {
  const { members } = step
  const given = members.get(kind)
  const constant = kind === 'sleep' ? isDuration(given) : typeof given === 'string' && isMoment(given)
  const dynamic = typeof given === 'string' && given.includes('${')
  const expected =
    kind === 'sleep'
      ? `a number of 0 to ${MAX_DELAY_MS} (milliseconds), or an expression that gives one`
      : 'a moment such as 2027-01-01T00:00:00Z, or an expression that gives one'
  if (!constant && !dynamic) members.wrong(kind, `is ${shown(given)}; it must be ${expected}`)
  const evaluate = template(step, kind)
  return (scope, iteration) => {
    const value = evaluate(scope, iteration)
    // what an expression gives decides between a duration and a moment by its type: a text must not pass for a duration
    if (typeof value === (kind === 'sleep' ? 'number' : 'string')) return value
    throw new Error(`${members.at(kind).join('.')} gives ${shown(value)}; it must be ${expected}`)
  }
}

function isDuration(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= MAX_DELAY_MS
}

/** With the time and the zone: what a moment is must not depend on the node's own. */
function isMoment(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text))
}

function readSignal(step: StepReading, kind: 'signal' | 'approval'): Work {
  const { members, key } = step
  const own = kind === 'approval' && members.get(kind) === true
  const name = (own ? key : members.name(kind, SIGNAL_NAME, MAX_NAME_LENGTH)) ?? key
  const deadlineMs = members.whole('deadlineMs', 1, MAX_DELAY_MS)
  const logic = readPayloadSchema(step)
  if (members.has('fallback')) checkFallback(step, kind, logic)
  const work: SignalWork = {
    kind: 'signal',
    name,
    ...(kind === 'signal' && members.flag('transient') && { transient: true }),
    ...(deadlineMs !== undefined && { deadlineMs }),
    ...(members.has('fallback') && { fallback: { payload: members.get('fallback') } }),
    ...(kind === 'approval' && { approval: { approvers: readApprovers(step) } }),
  }
  return { work, logic }
}

/** Checks what a signal brings. */
export function readPayloadSchema({ members, issues }: StepReading): Pick<StepLogic, 'checkPayload'> {
  if (!members.has('payloadSchema')) return {}
  const schema = members.get('payloadSchema')
  if (!acceptSchema(schema, members.at('payloadSchema'), issues)) return {}
  return { checkPayload: (payload) => checkBySchema(schema, payload) }
}

function checkFallback(
  { members, issues }: StepReading,
  kind: string,
  { checkPayload }: Pick<StepLogic, 'checkPayload'>,
) {
  const fallback = members.get('fallback')
  if (!members.has('deadlineMs')) members.wrong('fallback', 'is never used without deadlineMs')
  if (kind === 'approval' && !(isObject(fallback) && typeof fallback.approved === 'boolean'))
    members.wrong('fallback', `is ${shown(fallback)}; it must be an object with approved: true or false`)
  const checked = checkPayload?.(fallback)
  if (checked && 'ok' in checked && !checked.ok)
    for (const { path, message } of checked.issues)
      issues.add([...members.at('fallback'), ...(path === '' ? [] : [path])], message)
}

function readApprovers({ members }: StepReading): readonly string[] | null {
  if (!members.has('approvers')) return null
  const approvers = members.texts('approvers')
  if (approvers?.length === 0) members.wrong('approvers', 'is empty: nobody could decide. Leave it out for anybody')
  return approvers ?? null
}
