import type { EachSpec, Enough } from '../workflow/graph.ts'
import type { StepLogic } from '../workflow/logic.ts'
import { type Issues, shown } from './issues.ts'
import { MAX_AT_ONCE, MAX_EXPRESSION_LENGTH, MAX_ITEMS, MAX_NAME_LENGTH } from './limits.ts'
import { defined } from './members.ts'
import type { Evaluate } from './place.ts'
import type { GivenStep } from './read-edges.ts'
import { readPayloadSchema } from './read-work.ts'
import type { StepReading } from './reading.ts'
import { SIGNAL_NAME } from './step-kinds.ts'

/** What `forEach` says. */
interface List {
  readonly spec: EachSpec
  readonly items: Evaluate
  readonly until: Evaluate | undefined
  readonly checkPayload: StepLogic['checkPayload']
}

const OF_LISTS = ['concurrency', 'need', 'until', 'rest', 'more'] as const
const WAITS: ReadonlySet<string> = new Set(['signal', 'approval'])

/** A step that runs for each item of a list: how many at once, when it has enough, and what may still be added. */
export function readList(step: StepReading): List | undefined {
  const { members, places, key } = step
  const concurrency = members.whole('concurrency', 1, MAX_AT_ONCE) ?? null
  const enough = readEnough(step)
  const more = members.name('more', SIGNAL_NAME, MAX_NAME_LENGTH)
  if (members.has('payloadSchema') && !members.has('more') && !WAITS.has(step.kind))
    members.wrong('payloadSchema', 'is of what the signal more brings: it needs more')
  if (!members.has('forEach')) {
    for (const member of OF_LISTS) if (members.has(member)) members.wrong(member, 'belongs to forEach')
    return undefined
  }
  const list = members.get('forEach')
  if (!Array.isArray(list) && !(typeof list === 'string' && list.includes('${')))
    members.wrong('forEach', `is ${shown(list)}; it must be a list, or an expression that gives one`)
  return {
    spec: { concurrency, ...defined({ enough: enough?.spec, more }) },
    items: places.template(list, members.at('forEach'), key),
    until: enough?.until,
    checkPayload: readPayloadSchema(step).checkPayload,
  }
}

function readEnough({ members, places, key }: StepReading): { spec: Enough; until: Evaluate | undefined } | undefined {
  const need = members.whole('need', 1, MAX_ITEMS)
  const until = members.text('until', MAX_EXPRESSION_LENGTH)
  const rest = members.choice('rest', ['finish', 'cancel'])
  if (members.has('need') && members.has('until')) members.wrong('until', 'cannot be together with need')
  const when = need ?? (until === undefined ? undefined : 'until')
  if (rest && when === undefined) members.wrong('rest', 'is what need and until leave over: it needs one of them')
  if (when === undefined) return undefined
  const condition = until === undefined ? undefined : places.condition(until, members.at('until'), key, 'result')
  return { spec: { need: when, rest: rest ?? 'finish' }, until: condition }
}

/** That only lists are completed by other steps. */
export function checkCompletes(steps: readonly GivenStep[], issues: Issues): void {
  const lists = new Set(steps.filter(({ object }) => Object.hasOwn(object, 'forEach')).map(({ key }) => key))
  const keys = new Set(steps.map(({ key }) => key))
  for (const { object, path } of steps) {
    if (!Object.hasOwn(object, 'completes') || !Array.isArray(object.completes)) continue
    for (const [index, list] of object.completes.entries())
      if (keys.has(list) && !lists.has(list))
        issues.add([...path, 'completes', index], `is ${shown(list)}, which has no forEach`)
  }
}
