import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ON_ERROR, type OnError, type SignalWork } from '../core/workflow/graph.ts'
import type { WorkflowBuilder } from './workflow-builder.ts'
import { Checks } from './workflow-checks.ts'
import { Definition, type Head } from './workflow-definition.ts'
import { eachOf } from './workflow-lists.ts'
import type { WorkflowOptions } from './workflow-options.ts'
import { approvalWork, signalWork } from './workflow-signals.ts'
import type { State } from './workflow-state.ts'
import { type DeclaredStep, StepList, type UserFunction } from './workflow-step-list.ts'
import { type Declaration, type LooseOptions, plainStep, workStep } from './workflow-steps.ts'
import type { ActionRef, Input, Output, Target, Workflow, WorkflowRef } from './workflow-types.ts'

/**
 * Defines a workflow, whose steps are declared by the methods of what it returns. Throws a `TypeError` that names the
 * workflow and the member when the definition makes no sense.
 * @param name lower-case letters, digits, `.`, `_`, `-`; starts with a letter or digit; 1 to 100 characters.
 */
export function workflow<
  const N extends string,
  PS extends StandardSchemaV1 | undefined = undefined,
  E extends OnError = 'fail',
>(
  name: N,
  options: WorkflowOptions<N, PS, E> = {},
): WorkflowBuilder<N, Input<PS>, null, State<Output<PS>, Record<never, never>, never, never, E>> {
  const checks = new Checks(`workflow ${JSON.stringify(name)}`)
  const { version, description, deadlineMs, onError, params, previous = [] } = options
  checks.name(name)
  checks.text('version', version)
  checks.text('description', description)
  checks.oneOf('onError', onError, ON_ERROR)
  checks.duration('deadlineMs', deadlineMs)
  checks.schema('params', params)
  checkPrevious(name, previous, checks)
  const head: Head = {
    name,
    version: version ?? '1',
    description,
    onError: onError ?? 'fail',
    deadlineMs,
    previous: [...previous],
    paramsSchema: params,
  }
  // the steps' types live in the interface alone: the class declares steps without them
  return new Builder(head, StepList.empty()) as unknown as ReturnType<typeof workflow<N, PS, E>>
}

/**
 * Names an action that is registered elsewhere. Nothing checks the types; where no worker has an action of this name, the
 * step waits for one. Throws a `TypeError` for what cannot be a name.
 */
export function actionRef<P = unknown, R = unknown>(name: string): ActionRef<P, R> {
  new Checks(`action ${JSON.stringify(name)}`).name(name)
  return { kind: 'action-ref', name }
}

/**
 * Names a workflow that is registered elsewhere, or the one that the step belongs to: so a workflow calls itself. Nothing
 * checks the types. Throws a `TypeError` for what cannot be a name.
 */
export function workflowRef<P = unknown, R = unknown>(name: string): WorkflowRef<P, R> {
  new Checks(`workflow ${JSON.stringify(name)}`).name(name)
  return { kind: 'workflow-ref', name }
}

function checkPrevious(name: string, previous: readonly Workflow[], checks: Checks): void {
  for (const earlier of previous)
    if (earlier?.kind !== 'workflow' || earlier.name !== name)
      checks.fail('previous takes earlier versions of this workflow, of the same name')
}

/** What `WorkflowBuilder` is when it runs; that interface documents the methods. */
class Builder extends Definition {
  step(key: string, target: Target, input?: UserFunction, options?: LooseOptions): Builder {
    return this.#declare(key, options, (declaration) => {
      declaration.checks.optionalFunction('the mapper', input)
      return workStep(declaration, target, { input })
    })
  }

  value(key: string, compute: UserFunction, options?: LooseOptions): Builder {
    return this.#declare(key, options, (declaration) => {
      declaration.checks.function('what computes the value', compute)
      return plainStep(declaration, { kind: 'value' }, { input: compute })
    })
  }

  sleep(key: string, ms: number | UserFunction, options?: LooseOptions): Builder {
    return this.#declare(key, options, (declaration) => {
      if (typeof ms !== 'function') declaration.checks.duration('the time', ms ?? null, 0)
      return plainStep(declaration, { kind: 'sleep' }, { input: typeof ms === 'function' ? ms : () => ms })
    })
  }

  sleepUntil(key: string, moment: UserFunction, options?: LooseOptions): Builder {
    return this.#declare(key, options, (declaration) => {
      declaration.checks.function('what computes the moment', moment)
      return plainStep(declaration, { kind: 'sleep' }, { input: moment })
    })
  }

  signal(key: string, options?: LooseOptions): Builder {
    return this.#wait(key, options, signalWork)
  }

  approval(key: string, options?: LooseOptions): Builder {
    return this.#wait(key, options, approvalWork)
  }

  forEach(key: string, items: UserFunction, target: Target, input?: UserFunction, options?: LooseOptions): Builder {
    return this.#declare(key, options, (declaration) => {
      const { checks, options } = declaration
      checks.function('what makes the items', items)
      checks.optionalFunction('the mapper', input)
      const { until, payload } = options
      return workStep(declaration, target, { items, input, until, payload }, { each: eachOf(options, checks) })
    })
  }

  repeat(key: string, target: Target, input: UserFunction | undefined, options?: LooseOptions): Builder {
    return this.#declare(key, options, (declaration) => {
      const { checks, options } = declaration
      const { until, max } = options
      checks.optionalFunction('the mapper', input)
      checks.function('until', until)
      if (max === undefined) return checks.fail('max is missing')
      checks.whole('max', max, 1, 10_000)
      return workStep(declaration, target, { input, until }, { repeat: { max } })
    })
  }

  result(compute: UserFunction): Definition {
    new Checks(this.label).function('what computes the result', compute)
    return new Definition(this.head, this.steps, compute)
  }

  #wait(key: string, options: LooseOptions | undefined, work: (declaration: Declaration) => SignalWork): Builder {
    return this.#declare(key, options, (declaration) =>
      plainStep(declaration, work(declaration), { payload: options?.payload }),
    )
  }

  #declare(key: string, options: LooseOptions = {}, make: (declaration: Declaration) => DeclaredStep): Builder {
    const checks = new Checks(`${this.label}, step ${JSON.stringify(key)}`)
    checks.key(key, this.steps)
    const step = make({ key, declared: this.steps, options, checks })
    return new Builder(this.head, this.steps.with(step))
  }
}
