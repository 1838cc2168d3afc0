import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { RetryOptions } from '../core/retry.ts'
import { EVERY_STEP, type Join, ON_ERROR, type StepSpec, type StepWork } from '../core/workflow/graph.ts'
import type { Checks } from './workflow-checks.ts'
import type { DeclaredStep, StepFunctions, StepList, UserFunction } from './workflow-step-list.ts'
import type { Target } from './workflow-types.ts'

/** The options of every kind of step, without their types: what the compiler has checked, and JavaScript has not. */
export interface LooseOptions {
  readonly after?: readonly string[]
  readonly join?: 'all' | 'any' | number
  readonly others?: Join['others']
  readonly when?: UserFunction
  readonly onSkipped?: StepSpec['onSkipped']
  readonly onError?: NonNullable<StepSpec['onError']>
  readonly cancels?: readonly string[]
  readonly completes?: readonly string[]
  readonly retry?: RetryOptions
  readonly timeoutMs?: number
  readonly effect?: NonNullable<StepSpec['effect']>
  readonly idempotencyKey?: UserFunction
  readonly limit?: { key: string | UserFunction; max: number; scope?: 'run' | 'everywhere' }
  readonly concurrency?: number
  readonly need?: number
  readonly rest?: 'finish' | 'cancel'
  readonly more?: string
  readonly until?: UserFunction
  readonly max?: number
  readonly signal?: string
  readonly transient?: boolean
  readonly payload?: StandardSchemaV1
  readonly approvers?: readonly string[]
  readonly deadlineMs?: number
  readonly fallback?: unknown
}

/** What a step is declared with: its place, its options, and the checks that name it. */
export interface Declaration {
  readonly key: string
  readonly declared: StepList
  readonly options: LooseOptions
  readonly checks: Checks
}

/** A step that does something of its own: computes, or waits. */
export function plainStep(declaration: Declaration, work: StepWork, functions: StepFunctions): DeclaredStep {
  const { when } = declaration.options
  return { spec: commonSpec(declaration, work), functions: { ...functions, when } }
}

/** A step that executes an action or a workflow: once, for each item, or again and again. */
export function workStep(
  declaration: Declaration,
  target: Target,
  functions: StepFunctions,
  repetition: Pick<StepSpec, 'each' | 'repeat'> = {},
): DeclaredStep {
  const { options, checks } = declaration
  const work = workOf(target, checks)
  checkWorkOptions(options, target, work, checks)
  const { retry, timeoutMs, effect, limit, idempotencyKey, when } = options
  const spec: StepSpec = {
    ...commonSpec(declaration, work),
    ...repetition,
    keyed: idempotencyKey !== undefined,
    ...(limit && { limit: { max: limit.max, scope: limit.scope ?? 'everywhere' } }),
    ...(retry && { retry: checks.retry(retry) }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(effect && { effect }),
  }
  return { spec, functions: { ...functions, when, key: idempotencyKey, limitKey: limitKeyOf(limit) }, target }
}

function commonSpec({ key, declared, options, checks }: Declaration, work: StepWork): StepSpec {
  const { onSkipped, onError, when } = options
  const after = options.after ?? (declared.last ? [declared.last.spec.key] : [])
  const { cancels = [], completes = [] } = options
  checks.declared('after', after, declared)
  checks.declared('cancels', withoutEvery(cancels), declared)
  checks.declared('completes', completes, declared)
  for (const list of completes)
    if (!declared.get(list)?.spec.each) checks.fail(`completes names ${JSON.stringify(list)}, which is no forEach`)
  checks.oneOf('onSkipped', onSkipped, ['skip', 'run'])
  checks.oneOf('onError', onError, ON_ERROR)
  checks.optionalFunction('when', when)
  return {
    key,
    work,
    after: [...after],
    join: joinOf(options, after.length, checks),
    conditional: when !== undefined,
    onSkipped: onSkipped ?? 'skip',
    ...(onError && { onError }),
    cancels: [...cancels],
    ...(completes.length > 0 && { completes: [...completes] }),
    keyed: false,
  }
}

/** The steps that are named. What is no list is left to the check. */
function withoutEvery(cancels: readonly string[]): readonly string[] {
  return Array.isArray(cancels) ? cancels.filter((key) => key !== EVERY_STEP) : cancels
}

function joinOf({ join = 'all', others = 'finish' }: LooseOptions, dependencies: number, checks: Checks): Join {
  checks.oneOf('others', others, ['finish', 'cancel'])
  if (join !== 'all') {
    const need = join === 'any' ? 1 : join
    if (!(Number.isSafeInteger(need) && need >= 1 && need <= dependencies))
      checks.fail(`join is ${JSON.stringify(join)} of ${dependencies}; it must be all, any, or a number of them`)
    return { need, others }
  }
  if (others === 'cancel') checks.fail('others belongs to a join of any or of a number: one of all leaves none over')
  return { need: 'all', others }
}

function workOf(target: Target, checks: Checks): StepWork {
  switch (target?.kind) {
    case 'action':
    case 'action-ref':
      return { kind: 'action', name: target.name }
    case 'workflow':
    case 'workflow-ref':
      return { kind: 'workflow', name: target.name }
    default:
      return checks.fail('it executes what action(), workflow(), actionRef() or workflowRef() returns')
  }
}

function checkWorkOptions(options: LooseOptions, target: Target, work: StepWork, checks: Checks): void {
  const { effect, idempotencyKey, limit, timeoutMs } = options
  if (work.kind === 'action') checks.timeout(timeoutMs)
  else checks.duration('timeoutMs', timeoutMs)
  checks.optionalFunction('idempotencyKey', idempotencyKey)
  for (const member of ['effect', 'idempotencyKey'] as const)
    if (options[member] !== undefined && work.kind !== 'action') checks.fail(`${member} belongs to actions only`)
  checks.oneOf('effect', effect, ['idempotent', 'unsafe'])
  if (effect && target.kind === 'action' && target.effect === 'transactional')
    checks.fail(`effect is ${effect}, but the handler of ${target.name} is transactional and needs its transaction`)
  if (limit) checkLimit(limit, checks)
}

function checkLimit({ key, max, scope }: NonNullable<LooseOptions['limit']>, checks: Checks): void {
  if (typeof key !== 'string' && typeof key !== 'function') checks.fail('limit.key must be text or a function')
  if (max === undefined) checks.fail('limit.max is missing')
  checks.whole('limit.max', max, 1)
  checks.oneOf('limit.scope', scope, ['run', 'everywhere'])
}

function limitKeyOf(limit: LooseOptions['limit']): UserFunction | undefined {
  if (!limit) return undefined
  const { key } = limit
  return typeof key === 'string' ? () => key : key
}
