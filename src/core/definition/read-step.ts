import { EFFECTS, type Effect } from '../effect.ts'
import { ALL, EVERY_STEP, type Join, ON_ERROR, type StepSpec } from '../workflow/graph.ts'
import type { StepLogic } from '../workflow/logic.ts'
import { shown } from './issues.ts'
import { MAX_AT_ONCE, MAX_DESCRIPTION_LENGTH, MAX_EXPRESSION_LENGTH, MAX_ITERATIONS, MAX_TIMEOUT_MS } from './limits.ts'
import { defined, Members } from './members.ts'
import type { PlaceNames } from './place.ts'
import { readList } from './read-list.ts'
import { readRetry } from './read-retry.ts'
import { readWork } from './read-work.ts'
import type { StepReading } from './reading.ts'
import { membersOfKind } from './step-kinds.ts'

export interface ReadStep {
  readonly spec: StepSpec
  readonly logic: StepLogic
}

/** @param after the steps that come before it. */
export function readStep(step: StepReading, after: readonly string[]): ReadStep {
  const { members, key } = step
  members.allow(membersOfKind(step.kind), `a step with ${step.kind}`)
  members.text('description', MAX_DESCRIPTION_LENGTH)
  const each = readList(step)
  const repeat = readRepeat(step)
  if (each && repeat) members.wrong('repeat', 'cannot be together with forEach: make the loop a workflow of its own')
  const names: PlaceNames = each ? 'item' : repeat ? 'previous' : 'none'
  const { work, logic } = readWork(step, names)
  const limit = readLimit(step, names)
  const completes = readKeys(step, 'completes')
  const idempotencyKey = readText(step, 'idempotencyKey', names)
  const spec: StepSpec = {
    key,
    work,
    after,
    join: readJoin(step, after),
    conditional: members.has('when'),
    onSkipped: members.choice('onSkipped', ['skip', 'run']) ?? 'skip',
    cancels: readKeys(step, 'cancels', [EVERY_STEP]),
    ...(completes.length > 0 && { completes }),
    keyed: members.has('idempotencyKey'),
    ...defined({
      onError: members.choice('onError', ON_ERROR),
      each: each?.spec,
      repeat: repeat?.spec,
      limit: limit?.spec,
      retry: readRetry(step),
      timeoutMs: members.whole('timeoutMs', 1, MAX_TIMEOUT_MS),
      effect: readEffect(step),
    }),
  }
  return {
    spec,
    logic: {
      ...logic,
      ...defined({
        when: readCondition(step),
        items: each?.items,
        until: (each ?? repeat)?.until,
        key: idempotencyKey,
      }),
      ...defined({ limitKey: limit?.key, checkPayload: logic.checkPayload ?? each?.checkPayload }),
    },
  }
}

function readCondition({ members, places, key }: StepReading): StepLogic['when'] {
  const when = members.text('when', MAX_EXPRESSION_LENGTH)
  return when === undefined ? undefined : places.condition(when, members.at('when'), key)
}

const REPEAT: ReadonlySet<string> = new Set(['until', 'max'])

function readRepeat({ members, places, issues, key }: StepReading) {
  const given = members.object('repeat')
  if (!given) return undefined
  const inner = new Members(given, members.at('repeat'), issues)
  inner.allow(REPEAT, 'repeat')
  for (const member of REPEAT) if (!inner.has(member)) inner.wrong(member, 'is missing')
  const until = inner.text('until', MAX_EXPRESSION_LENGTH)
  const max = inner.whole('max', 1, MAX_ITERATIONS)
  if (until === undefined || max === undefined) return undefined
  return { spec: { max }, until: places.condition(until, inner.at('until'), key, 'result') }
}

const LIMIT: ReadonlySet<string> = new Set(['key', 'max', 'scope'])

function readLimit(step: StepReading, names: PlaceNames) {
  const given = step.members.object('limit')
  if (!given) return undefined
  const inner = new Members(given, step.members.at('limit'), step.issues)
  inner.allow(LIMIT, 'limit')
  if (!inner.has('max')) inner.wrong('max', 'is missing')
  const max = inner.whole('max', 1, MAX_AT_ONCE)
  const scope = inner.choice('scope', ['run', 'everywhere']) ?? 'everywhere'
  const key = readText({ ...step, members: inner }, 'key', names)
  return max === undefined ? undefined : { spec: { max, scope }, key }
}

/** A text, which may hold expressions. */
function readText({ members, places, key }: StepReading, member: string, names: PlaceNames) {
  const text = members.text(member, MAX_EXPRESSION_LENGTH)
  return text === undefined ? undefined : places.template(text, members.at(member), key, names)
}

function readJoin({ members }: StepReading, after: readonly string[]): Join {
  const given = members.get('join') ?? 'all'
  const others = members.choice('others', ['finish', 'cancel'])
  if (given === 'all') {
    if (others) members.wrong('others', 'needs join: "any" or a number, for with "all" there are no others')
    return ALL
  }
  const need = given === 'any' ? 1 : given
  const fits = typeof need === 'number' && Number.isSafeInteger(need) && need >= 1 && need <= after.length
  if (fits) return { need, others: others ?? 'finish' }
  const count = after.length
  members.wrong(
    'join',
    `is ${shown(given)}; it must be all, any or a whole number of 1 to ${count}: the steps before it`,
  )
  return ALL
}

/** @param besides what may stand in the place of a key. */
function readKeys(
  { members, issues, keys, key }: StepReading,
  member: string,
  besides: readonly string[] = [],
): readonly string[] {
  const named = members.texts(member) ?? []
  for (const [index, other] of named.entries()) {
    const path = [...members.at(member), index]
    if (other === key) issues.add(path, 'is the step itself')
    else if (!keys.has(other) && !besides.includes(other)) issues.add(path, `is ${shown(other)}, which is no step`)
  }
  return named
}

function readEffect({ members, known }: StepReading): Effect | undefined {
  const effect = members.choice('effect', EFFECTS)
  const own = known.effectOf?.(String(members.get('action')))
  if (effect && own && effect !== own && (effect === 'transactional' || own === 'transactional'))
    members.wrong('effect', `is ${effect}, but the action is ${own}: only its code can change that`)
  return effect
}
