import { z } from 'zod'
import { action } from '../../src/executor/define-action.ts'
import { actionRef, workflow, workflowRef } from '../../src/executor/define-workflow.ts'

/** Workflows that must not compile. Checked by the compiler alone: nothing calls them. */

const user = action('user', {
  params: z.object({ email: z.string() }),
  result: z.object({ id: z.string() }),
  run: () => ({ id: 'u' }),
})
const count = action('count', { params: z.object({ n: z.number().optional() }), result: z.number(), run: () => 1 })
const free = action('free', { run: () => null })
const base = workflow('base', { params: z.object({ email: z.string(), paid: z.boolean().optional() }) })
const two = base.step('a', count).step('b', count, undefined, { after: [] })

export function keys(): void {
  // @ts-expect-error a key is taken once
  two.step('a', count)
  // @ts-expect-error by whatever kind of step
  two.value('a', () => 1)
  // @ts-expect-error the params have this name
  two.step('params', count)
  // @ts-expect-error JavaScript asks any object for this
  two.signal('then')
  // @ts-expect-error nor can it be the name of a prototype
  two.sleep('__proto__', 1)
  // @ts-expect-error a key is text
  two.step(7, count)
}

export function dependencies(): void {
  // @ts-expect-error there is no such step
  two.step('c', count, undefined, { after: ['z'] })
  // @ts-expect-error none of them
  two.step('c', count, undefined, { after: ['a', 'z'] })
  // @ts-expect-error a step does not depend on itself
  two.step('c', count, undefined, { after: ['c'] })
  // @ts-expect-error nor on the params
  two.step('c', count, undefined, { after: ['params'] })
  // @ts-expect-error it is a list
  two.step('c', count, undefined, { after: 'a' })
  // @ts-expect-error only a step that is there can be canceled
  two.step('c', count, undefined, { cancels: ['z'] })
  // @ts-expect-error there is no such join
  two.step('c', count, undefined, { join: 'some' })
}

export function whatAStepSees(): void {
  // @ts-expect-error b does not come before it
  two.step('c', count, ({ b }) => ({ n: b }), { after: ['a'] })
  // @ts-expect-error nor does a come before the step after b
  two.step('c', count, ({ a }) => ({ n: a }))
  // @ts-expect-error without dependencies it sees the params alone
  two.step('c', count, ({ a }) => ({ n: a }), { after: [] })
  // @ts-expect-error a condition sees no more
  two.step('c', count, undefined, { after: ['a'], when: ({ b }) => b > 1 })
  // @ts-expect-error nor does a key
  two.step('c', count, undefined, { after: ['a'], idempotencyKey: ({ b }) => String(b) })
  // @ts-expect-error nor what a value is computed from
  two.value('c', ({ a }) => a)
  // @ts-expect-error nor a time
  two.sleep('c', ({ a }) => a)
  two.forEach(
    'c',
    // @ts-expect-error nor the items
    ({ a }) => [a],
    free,
    () => ({}),
  )
  // @ts-expect-error a step does not see itself
  two.step('c', count, ({ c }) => ({ n: c }))
  // @ts-expect-error the params have no such member
  two.step('c', count, ({ params }) => ({ n: params.n }))
  // @ts-expect-error without a schema they are unknown
  workflow('free').step('c', count, ({ params }) => ({ n: params.n }))
  // @ts-expect-error a workflow's result sees no step that there is not
  two.result(({ z }) => z)
}

export function whatMayBeMissing(): void {
  const skipped = two.step('c', count, undefined, { when: () => true })
  // @ts-expect-error it may be undefined
  skipped.step('d', count, ({ c }) => ({ n: c + 1 }), { after: ['a', 'c'] })
  // @ts-expect-error so may it where the step runs all the same
  skipped.step('d', count, ({ c }) => ({ n: c + 1 }), { onSkipped: 'run' })
  // @ts-expect-error and in the result
  skipped.result(({ c }) => c + 1)
  // @ts-expect-error whoever comes first, the other one may be missing
  two.value('d', ({ a, b }) => a + b, { after: ['a', 'b'], join: 'any' })
  const settled = base.step('a', count, undefined, { onError: 'continue' })
  // @ts-expect-error it may be an error
  settled.step('b', count, ({ a }) => ({ n: a.result + 1 }))
}

export function mappers(): void {
  // @ts-expect-error the params lack a member
  base.step('c', user, () => ({}))
  // @ts-expect-error a member has another type
  base.step('c', user, () => ({ email: 7 }))
  // @ts-expect-error {} are no params of it
  base.step('c', user)
  // @ts-expect-error with options neither
  base.step('c', user, undefined, { after: [] })
  // @ts-expect-error a mapper is synchronous
  base.step('c', user, async () => ({ email: '' }))
  // @ts-expect-error also where any params would do
  base.step('c', free, async () => ({ email: '' }))
  // @ts-expect-error and where all are optional
  base.step('c', count, async () => ({ n: 1 }))
  // @ts-expect-error a value is computed at once
  base.value('c', async () => 1)
  // @ts-expect-error a condition is decided at once
  base.step('c', count, undefined, { when: async () => true })
  // @ts-expect-error and is true or false
  base.step('c', count, undefined, { when: ({ params }) => params.paid })
  // @ts-expect-error the result of a workflow is computed at once
  base.result(async () => 1)
  // @ts-expect-error a reference has params as well
  base.step('c', actionRef<{ n: number }>('count'), () => ({ n: '1' }))
  // @ts-expect-error and so has a workflow
  base.step('c', base, () => ({ mail: '' }))
  // @ts-expect-error a function executes nothing
  base.step('c', () => 1)
}

export function actionsAlone(): void {
  // @ts-expect-error no override makes an action transactional
  base.step('c', count, undefined, { effect: 'transactional' })
  // @ts-expect-error a workflow has no effect class
  base.step('c', workflowRef('w'), () => ({}), { effect: 'unsafe' })
  // @ts-expect-error nor a business key
  base.step('c', workflowRef('w'), () => ({}), { idempotencyKey: () => 'k' })
  // @ts-expect-error a value is not executed
  base.value('c', () => 1, { retry: { maxAttempts: 2 } })
  // @ts-expect-error the options have no such member
  base.step('c', count, undefined, { timeout: 5 })
  // @ts-expect-error a limit has a number
  base.step('c', count, undefined, { limit: { key: 'k' } })
}

export function repetitions(): void {
  base.forEach(
    'c',
    // @ts-expect-error items are a list
    ({ params }) => params,
    free,
    () => ({}),
  )
  base.forEach(
    'c',
    () => [{ id: 1 }],
    free,
    // @ts-expect-error the item has no such member
    (_, item) => item.name,
  )
  base.forEach(
    'c',
    () => [{ id: 1 }],
    user,
    // @ts-expect-error each item's params are of the action
    (_, item) => item,
  )
  // @ts-expect-error the end of a list is counted, or computed
  base.forEach('c', () => [1], free, undefined, { need: 1, until: () => true })
  // @ts-expect-error what is added is of the items' type
  base.forEach('c', () => [1], free, undefined, { more: 'add', payload: z.string() })
  // @ts-expect-error only a step that is there can be completed
  base.step('c', count, undefined, { completes: ['z'] })
  // @ts-expect-error a loop has a bound
  base.repeat('c', count, undefined, { until: () => true })
  // @ts-expect-error and an end
  base.repeat('c', count, undefined, { max: 3 })
  // @ts-expect-error the result has no such member
  base.repeat('c', count, undefined, { max: 3, until: (_, { result }) => result.done })
}

export function waiting(): void {
  // @ts-expect-error a fallback needs a deadline
  base.signal('c', { fallback: 1 })
  // @ts-expect-error it is of the payload's type
  base.signal('c', { payload: z.object({ n: z.number() }), deadlineMs: 1, fallback: { n: '1' } })
  // @ts-expect-error a decision says whether it is approved
  base.approval('c', { deadlineMs: 1, fallback: { comment: 'late' } })
  // @ts-expect-error its payload is of the payload's type
  base.approval('c', { payload: z.number(), deadlineMs: 1, fallback: { approved: true, payload: '1' } })
  // @ts-expect-error it needs a deadline as well
  base.approval('c', { fallback: { approved: true } })
  // @ts-expect-error milliseconds are a number
  base.sleep('c', '1s')
  // @ts-expect-error a number is no moment
  base.sleepUntil('c', () => 1)
}

export function workflows(): void {
  // @ts-expect-error there are three ways to go on
  workflow('w', { onError: 'ignore' })
  // @ts-expect-error an earlier version has the same name
  workflow('w', { previous: [base] })
  // @ts-expect-error the result ends a definition
  base.result(() => 1).step('c', count)
}
