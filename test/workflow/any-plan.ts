import fc from 'fast-check'
import { firstFirst, Model, runToEnd } from './model.ts'
import {
  type Behaviour,
  behavioursIn,
  type Flags,
  type OnError,
  type Plan,
  type PlannedStep,
  type PlannedWork,
} from './plans.ts'

/**
 * What a drawn plan may have. `settled`: nothing whose outcome depends on who is faster. `canceling`: joins that cancel the
 * others, some of which never end by themselves. `undoing`: failures that turn the whole back. `wild`: everything at once,
 * but nothing that hangs.
 */
export type Flavour = 'settled' | 'canceling' | 'undoing' | 'wild'

const anyFlags: fc.Arbitrary<Flags> = fc.record({ a: fc.boolean(), b: fc.boolean() })

const MAX_STEPS = 20

function anyPlan(flavour: Flavour): fc.Arbitrary<Plan> {
  return planOf(flavour, MAX_STEPS, 2).map((plan) => (flavour === 'canceling' ? plan : withoutHanging(plan)))
}

/** A plan that ends whatever the flags are. */
export function anyCase(flavour: Flavour): fc.Arbitrary<{ plan: Plan; flags: Flags }> {
  return fc.record({ plan: anyPlan(flavour), flags: anyFlags }).map(({ plan, flags }) => ({
    plan: flavour === 'canceling' ? ending(plan, flags) : plan,
    flags,
  }))
}

/** @param levels of workflows that it may call. */
function planOf(flavour: Flavour, maxSteps: number, levels: number): fc.Arbitrary<Plan> {
  return fc
    .record({
      onError: onErrorIn(flavour),
      steps: fc.array(drawnStep(flavour, levels), { minLength: 1, maxLength: maxSteps, size: 'max' }),
    })
    .map(({ onError, steps }) => ({ onError, steps: assemble(steps) }))
}

/** A step as it is drawn: its place in the graph is found once it is known how many come before it. */
interface DrawnStep {
  /** How many steps back, each modulo those that there are. */
  readonly back: readonly number[]
  readonly need: number
  readonly rest: Omit<PlannedStep, 'key' | 'after' | 'need' | 'cancels'>
  readonly cancels: readonly number[]
  /** Where it is declared. */
  readonly rank: number
}

function assemble(drawn: readonly DrawnStep[]): PlannedStep[] {
  const keyOf = (index: number) => `s${index}`
  const steps = drawn.map(({ back, need, rest, cancels }, index): PlannedStep => {
    const before = index === 0 ? [] : [...new Set(back.map((n) => index - 1 - (n % index)))].sort((a, b) => a - b)
    const others = [...new Set(cancels.map((n) => n % drawn.length))].filter((n) => n !== index)
    const joins = need > 0 && before.length > 0
    return {
      key: keyOf(index),
      after: before.map(keyOf),
      need: joins ? 1 + ((need - 1) % before.length) : 'all',
      cancels: others.map(keyOf),
      ...rest,
    }
  })
  const rankOf = new Map(steps.map(({ key }, index) => [key, drawn[index]!.rank]))
  return steps.toSorted((a, b) => rankOf.get(a.key)! - rankOf.get(b.key)!)
}

function drawnStep(flavour: Flavour, levels: number): fc.Arbitrary<DrawnStep> {
  const cancels = flavour === 'canceling' || flavour === 'wild'
  const often = <T>(usual: T, weight: number, other: fc.Arbitrary<T>) =>
    fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other })
  const rest = fc.record(
    {
      others: fc.constantFrom<'finish' | 'cancel'>('finish', cancels ? 'cancel' : 'finish'),
      onSkipped: often<'skip' | 'run'>('skip', 4, fc.constant('run')),
      work: anyWork(flavour, levels),
      when: fc.oneof(
        { weight: 3, arbitrary: fc.constant(undefined) },
        {
          weight: 1,
          arbitrary: fc.oneof(fc.boolean(), fc.record({ flag: fc.constantFrom('a', 'b'), is: fc.boolean() })),
        },
      ),
      onError: often<OnError | undefined>(undefined, 2, onErrorIn(flavour)),
    },
    { requiredKeys: ['others', 'onSkipped', 'work'] },
  ) as fc.Arbitrary<DrawnStep['rest']>
  return fc.record({
    back: fc.oneof(
      { weight: 1, arbitrary: fc.constant([]) },
      // near ones make chains, far ones make joins
      { weight: 5, arbitrary: fc.array(fc.oneof(fc.nat(3), fc.nat(MAX_STEPS)), { minLength: 1, maxLength: 4 }) },
    ),
    need: often(0, 2, fc.nat(4)),
    rest,
    cancels:
      flavour === 'wild' ? often<number[]>([], 15, fc.array(fc.nat(MAX_STEPS), { maxLength: 2 })) : fc.constant([]),
    rank: fc.nat(3),
  })
}

function onErrorIn(flavour: Flavour): fc.Arbitrary<OnError> {
  const undoes = flavour === 'undoing' || flavour === 'wild'
  return fc.constantFrom<OnError>('fail', 'continue', ...(undoes ? (['compensate', 'compensate'] as const) : []))
}

function anyBehaviour(flavour: Flavour): fc.Arbitrary<Behaviour> {
  return fc.record({
    does: fc.oneof(
      { weight: 8, arbitrary: fc.constant('works' as const) },
      { weight: 2, arbitrary: fc.constant('breaks' as const) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 }) },
      { weight: flavour === 'canceling' ? 2 : 0, arbitrary: fc.constant('hangs' as const) },
    ),
    undo: fc.oneof(
      { weight: 5, arbitrary: fc.constant('works' as const) },
      { weight: 2, arbitrary: fc.constant('none' as const) },
      { weight: 1, arbitrary: fc.constant('breaks' as const) },
    ),
    takes: fc.oneof(fc.constant(0), fc.nat(8)),
  })
}

function anyWork(flavour: Flavour, levels: number): fc.Arbitrary<PlannedWork> {
  const behaviour = anyBehaviour(flavour)
  const concurrency = fc.constantFrom(null, 1, 2)
  const inner = levels > 0 ? planOf(flavour, 2 + levels, levels - 1) : undefined
  const kind = <K extends PlannedWork['kind']>(name: K) => fc.constant(name)
  return fc.oneof(
    { weight: 12, arbitrary: behaviour.map((each) => ({ kind: 'action' as const, ...each })) },
    { weight: 2, arbitrary: fc.record({ kind: kind('value') }) },
    {
      weight: 2,
      arbitrary: fc
        .record({ kind: kind('list'), items: fc.array(behaviour, { maxLength: 5 }), concurrency })
        .map((list) => ({ ...list, items: alike(list.items) })),
    },
    ...(inner
      ? [
          { weight: 1, arbitrary: fc.record({ kind: kind('workflow'), plan: inner }) },
          { weight: 1, arbitrary: fc.record({ kind: kind('workflows'), plan: inner, times: fc.nat(3), concurrency }) },
        ]
      : []),
  )
}

/** One action runs for every element: all of them can be undone, or none. */
function alike(items: readonly Behaviour[]): Behaviour[] {
  return items[0]?.undo === 'none'
    ? items.map((item) => ({ ...item, undo: 'none' }))
    : items.map((item) => (item.undo === 'none' ? { ...item, undo: 'works' } : item))
}

function withoutHanging(plan: Plan): Plan {
  const copy = structuredClone(plan)
  for (const behaviour of behavioursIn(copy)) if (behaviour.does === 'hangs') behaviour.does = 'works'
  return copy
}

/** What would hang for ever, since nothing cancels it, works instead. */
function ending(plan: Plan, flags: Flags): Plan {
  const copy = structuredClone(plan)
  for (;;) {
    const hanging = runToEnd(new Model(copy, flags), firstFirst)
    if (hanging.length === 0) return copy
    for (const { behaviour } of hanging) behaviour!.does = 'works'
  }
}
