/** Workflows as the random tests draw them: plain data, turned into a definition for the server and into a world for the model. */

export type OnError = 'fail' | 'continue' | 'compensate'

/** What an action does: works; fails for good; fails so often and then works; never returns until it is told to stop. */
export interface Behaviour {
  does: 'works' | 'breaks' | 'hangs' | number
  /** Whether it can be undone; `breaks`: the attempt to undo it fails for good. */
  readonly undo: 'none' | 'works' | 'breaks'
  /** Milliseconds that an attempt takes. */
  readonly takes: number
}

export type PlannedWork =
  | { readonly kind: 'value' }
  | ({ readonly kind: 'action' } & Behaviour)
  | { readonly kind: 'workflow'; readonly plan: Plan }
  | { readonly kind: 'list'; readonly items: readonly Behaviour[]; readonly concurrency: number | null }
  /** A list whose every element runs the same workflow. */
  | { readonly kind: 'workflows'; readonly plan: Plan; readonly times: number; readonly concurrency: number | null }

/** Constant, or whether a flag of the params has a value. */
export type Condition = boolean | { readonly flag: Flag; readonly is: boolean }
type Flag = 'a' | 'b'
export type Flags = Readonly<Record<Flag, boolean>>

export interface PlannedStep {
  readonly key: string
  readonly after: readonly string[]
  readonly need: 'all' | number
  readonly others: 'finish' | 'cancel'
  readonly onSkipped: 'skip' | 'run'
  readonly when?: Condition
  readonly onError?: OnError
  readonly cancels: readonly string[]
  readonly work: PlannedWork
}

export interface Plan {
  readonly onError: OnError
  /** In the order in which they are declared, which is any. */
  readonly steps: readonly PlannedStep[]
}

export function onErrorOf(plan: Plan, step: PlannedStep): OnError {
  return step.onError ?? plan.onError
}

/** The plan and all that it runs. */
export function plansIn(plan: Plan): Plan[] {
  return [plan, ...plan.steps.flatMap(({ work }) => ('plan' in work ? plansIn(work.plan) : []))]
}

export function behavioursIn(plan: Plan): Behaviour[] {
  return plansIn(plan).flatMap(({ steps }) =>
    steps.flatMap(({ work }) => (work.kind === 'action' ? [work] : work.kind === 'list' ? work.items : [])),
  )
}

/** Every step of a list in declared order after those before it: for whoever prints or draws. */
function showBehaviour({ does, undo, takes }: Behaviour): string {
  return `${does}${undo === 'none' ? '' : `/undo ${undo}`}${takes ? `/${takes}ms` : ''}`
}

function showWork(work: PlannedWork): string {
  switch (work.kind) {
    case 'value':
      return 'value'
    case 'action':
      return showBehaviour(work)
    case 'list':
      return `[${work.items.map(showBehaviour).join(', ')}]${work.concurrency ? ` by ${work.concurrency}` : ''}`
    case 'workflow':
      return `{\n${indent(showPlan(work.plan))}\n}`
    case 'workflows':
      return `${work.times} times ${work.concurrency ? `by ${work.concurrency} ` : ''}{\n${indent(showPlan(work.plan))}\n}`
  }
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}

function showStep({ key, after, need, others, onSkipped, when, onError, cancels, work }: PlannedStep): string {
  const join = need === 'all' ? '' : ` (any ${need}${others === 'cancel' ? ', cancel others' : ''})`
  return [
    `${key}: ${after.length ? `after ${after.join(' ')}${join}: ` : ''}${showWork(work)}`,
    when !== undefined && `when ${typeof when === 'boolean' ? when : `${when.flag}=${when.is}`}`,
    onError && `onError ${onError}`,
    onSkipped === 'run' && 'onSkipped run',
    cancels.length > 0 && `cancels ${cancels.join(' ')}`,
  ]
    .filter(Boolean)
    .join('; ')
}

/** A plan on as few lines as it has steps. */
export function showPlan(plan: Plan): string {
  return [`onError ${plan.onError}`, ...plan.steps.map(showStep)].join('\n')
}
