import { createHash } from 'node:crypto'
import { type Behaviour, type Condition, type Plan, type PlannedStep, type PlannedWork, plansIn } from './plans.ts'

/** A plan as the server takes it. The params of a run are `{ tag, flags }`, and go down to whatever it calls. */
export function definitionOf(plan: Plan, name = nameOf(plan)): object {
  return { name, onError: plan.onError, steps: plan.steps.map(stepOf) }
}

/** The workflows that a plan calls, those first that others call. */
export function calledBy(plan: Plan): object[] {
  const [, ...called] = plansIn(plan)
  return called.reverse().map((each) => definitionOf(each))
}

/** The same plan has the same name. */
function nameOf(plan: Plan): string {
  return `plan-${createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 16)}`
}

function stepOf(step: PlannedStep): object {
  const { key, after, need, others, onSkipped, when, onError, cancels, work } = step
  return {
    key,
    after,
    ...(need !== 'all' && { join: need === 1 ? 'any' : need, others }),
    ...(onSkipped === 'run' && { onSkipped }),
    ...(when !== undefined && { when: conditionOf(when) }),
    ...(onError && { onError }),
    ...(cancels.length > 0 && { cancels }),
    ...workOf(work),
  }
}

function conditionOf(when: Condition): string {
  return typeof when === 'boolean' ? String(when) : `params.flags.${when.flag} == ${when.is}`
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: the server's own templates
const PASSED_ON = { tag: '${params.tag}', flags: '${params.flags}' }

function workOf(work: PlannedWork): object {
  switch (work.kind) {
    case 'value':
      return { value: { computed: true } }
    case 'action':
      return { action: actionOf(work), params: paramsOf(work) }
    case 'list':
      return {
        // one action for all of them: it can be undone if one of them can
        action: work.items.some(({ undo }) => undo !== 'none') ? 'act' : 'act-only',
        forEach: work.items.map(({ does, undo, takes }) => ({ does, undo, takes })),
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the server's own templates
        params: { tag: '${params.tag}', does: '${item.does}', undo: '${item.undo}', takes: '${item.takes}' },
        ...concurrencyOf(work),
      }
    case 'workflow':
      return { workflow: nameOf(work.plan), params: PASSED_ON }
    case 'workflows':
      return {
        workflow: nameOf(work.plan),
        forEach: Array.from({ length: work.times }, (_, index) => index),
        params: PASSED_ON,
        ...concurrencyOf(work),
      }
  }
}

function concurrencyOf({ concurrency }: { readonly concurrency: number | null }): object {
  return concurrency === null ? {} : { concurrency }
}

/** `act-only` has nothing that would undo it. */
function actionOf({ undo }: Behaviour): string {
  return undo === 'none' ? 'act-only' : 'act'
}

function paramsOf({ does, undo, takes }: Behaviour): object {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the server's own templates
  return { tag: '${params.tag}', does, undo, takes }
}
