import type { StandardSchemaV1 } from '@standard-schema/spec'
import { isPromise } from '../core/eventually.ts'
import type { GraphLogic, Iteration, Scope, StepLogic } from '../core/workflow/logic.ts'
import { validate } from './validate.ts'
import { Ancestry, everything, type Visibility, viewOf } from './workflow-scope.ts'
import type { DeclaredStep, StepList, UserFunction } from './workflow-step-list.ts'

type Call = (scope: Scope, iteration?: Iteration) => unknown

/**
 * Makes the user's functions what the engine calls.
 * @param label names the workflow in the errors.
 */
export function graphLogic(
  label: string,
  steps: StepList,
  params: StandardSchemaV1 | undefined,
  result: UserFunction | undefined,
): GraphLogic {
  const ancestry = new Ancestry(steps)
  return {
    checkParams: (given) => validate(params, given),
    steps: new Map(steps.all().map((step) => [step.spec.key, stepLogic(label, step, ancestry)])),
    ...(result && { result: caller(`${label}, result`, result, everything(steps), none) }),
  }
}

function stepLogic(label: string, { spec, functions }: DeclaredStep, ancestry: Ancestry): StepLogic {
  const { when, input, items, until, key, limitKey, payload } = functions
  const visibility = ancestry.seenBy(spec.key)
  const call = (fn: UserFunction, args: Args) => caller(`${label}, step "${spec.key}"`, fn, visibility, args)
  const args = spec.each ? itemAndIndex : spec.repeat ? indexAndPrevious : none
  return {
    ...(when && { when: call(when, none) }),
    ...(input && { input: call(input, args) }),
    ...(items && { items: call(items, none) }),
    ...(until && { until: call(until, indexAndResult) }),
    ...(key && { key: call(key, args) }),
    ...(limitKey && { limitKey: call(limitKey, args) }),
    ...(payload && { checkPayload: (given: unknown) => validate(payload, given) }),
  }
}

/** What follows the scope in the arguments of a function. */
type Args = (iteration: Iteration | undefined) => unknown[]

const none: Args = () => []
const itemAndIndex: Args = (iteration) => [iteration?.item, iteration?.index]
const indexAndPrevious: Args = (iteration) => [{ index: iteration?.index, previous: iteration?.item }]
const indexAndResult: Args = (iteration) => [{ index: iteration?.index, result: iteration?.item }]

function caller(label: string, fn: UserFunction, visibility: Visibility, args: Args): Call {
  return (scope, iteration) => {
    const returned = fn(viewOf(scope, visibility), ...args(iteration))
    if (!isPromise(returned)) return returned
    // nobody awaits it: a rejection would end the process
    returned.then(undefined, () => {})
    throw new TypeError(`${label}: the functions of a workflow are synchronous, and this one returned a promise`)
  }
}
