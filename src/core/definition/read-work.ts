import { MAX_DELAY_MS } from '../retry.ts'
import type { SignalWork, StepWork } from '../workflow/graph.ts'
import type { StepLogic } from '../workflow/logic.ts'
import { type Path, shown } from './issues.ts'
import { MAX_NAME_LENGTH } from './limits.ts'
import { isObject, Members } from './members.ts'
import type { Evaluate, PlaceNames } from './place.ts'
import type { StepReading } from './reading.ts'
import { acceptSchema } from './schema-acceptance.ts'
import { checkBySchema } from './schema-check.ts'
import { NAME, SIGNAL_NAME } from './step-kinds.ts'

/** Of a decision, as in the API. */
const MAX_COMMENT = 10_000

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
  const fallback = readFallback(step, kind, logic)
  const work: SignalWork = {
    kind: 'signal',
    name,
    ...(kind === 'signal' && members.flag('transient') && { transient: true }),
    ...(deadlineMs !== undefined && { deadlineMs }),
    ...(fallback && { fallback }),
    ...(kind === 'approval' && { approval: { approvers: readApprovers(step) } }),
  }
  return { work, logic }
}

type PayloadLogic = Pick<StepLogic, 'checkPayload'>

/** Checks what a signal brings. */
export function readPayloadSchema({ members, issues }: StepReading): PayloadLogic {
  if (!members.has('payloadSchema')) return {}
  const schema = members.get('payloadSchema')
  if (!acceptSchema(schema, members.at('payloadSchema'), issues)) return {}
  return { checkPayload: (payload) => checkBySchema(schema, payload) }
}

function readFallback(step: StepReading, kind: string, logic: PayloadLogic): { payload: unknown } | undefined {
  const { members } = step
  if (!members.has('fallback')) return undefined
  if (!members.has('deadlineMs')) members.wrong('fallback', 'is never used without deadlineMs')
  if (kind === 'approval') return readDecision(step, logic)
  const payload = members.get('fallback')
  checkFits(step, logic, members.at('fallback'), payload)
  return { payload }
}

const DECISION: ReadonlySet<string> = new Set(['approved', 'comment', 'payload'])

/** The decision that a fallback stands for: nobody made it. */
function readDecision(step: StepReading, logic: PayloadLogic): { payload: unknown } | undefined {
  const { members, issues } = step
  const given = members.get('fallback')
  if (!isObject(given) || typeof given.approved !== 'boolean')
    return members.wrong('fallback', `is ${shown(given)}; it must be an object with approved: true or false`)
  const decision = new Members(given, members.at('fallback'), issues)
  decision.allow(DECISION, 'the fallback of an approval')
  const comment = given.comment === null ? null : (decision.text('comment', MAX_COMMENT) ?? null)
  const payload = decision.get('payload') ?? null
  if (payload !== null) checkFits(step, logic, decision.at('payload'), payload)
  return { payload: { approved: given.approved, by: null, comment, payload } }
}

function checkFits({ issues }: StepReading, { checkPayload }: PayloadLogic, at: Path, payload: unknown): void {
  const checked = checkPayload?.(payload)
  if (checked && 'ok' in checked && !checked.ok)
    for (const { path, message } of checked.issues) issues.add([...at, ...(path === '' ? [] : [path])], message)
}

function readApprovers({ members }: StepReading): readonly string[] | null {
  if (!members.has('approvers')) return null
  const approvers = members.texts('approvers')
  if (approvers?.length === 0) members.wrong('approvers', 'is empty: nobody could decide. Leave it out for anybody')
  return approvers ?? null
}
