import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import type { WorkflowDefinition } from '../../sdk/src/definitions.ts'
import { action } from '../../src/executor/define-action.ts'
import { actionRef, workflow, workflowRef } from '../../src/executor/define-workflow.ts'
import type { Decision, Json, Settled, StepError, Workflow } from '../../src/executor/workflow-types.ts'
import { numberSchema } from '../executor/hand-written-schema.ts'

const params = z.object({
  email: z.string(),
  at: z.string().transform((text) => new Date(text)),
  paid: z.boolean().default(true),
})
type Given = { email: string; at: string; paid?: boolean | undefined }
type Parsed = { email: string; at: Date; paid: boolean }
type User = { id: string; born: string }

const createUser = action('create-user', {
  params: z.object({ email: z.string() }),
  result: z.object({ id: z.string(), born: z.date() }),
  run: () => ({ id: 'u', born: new Date() }),
})
const count = action('count', { params: z.object({ n: z.number().optional() }), result: z.number(), run: () => 1 })
const free = action('free', { run: () => null })

const base = workflow('base', { params })

type ParamsOf<W extends Workflow> = NonNullable<W['~types']>['params']
type ResultOf<W extends Workflow> = NonNullable<W['~types']>['result']

test('a mapper sees the output of the params schema, and the results of the steps before as JSON', () => {
  base
    .step('user', createUser, ({ params }) => {
      expectTypeOf(params).toEqualTypeOf<Parsed>()
      return { email: params.email }
    })
    .step('count', count, (scope) => {
      expectTypeOf(scope.user).toEqualTypeOf<User>()
      expectTypeOf<keyof typeof scope>().toEqualTypeOf<'params' | 'user'>()
      return {}
    })
  workflow('free').step('user', createUser, ({ params }) => {
    expectTypeOf(params).toBeUnknown()
    return { email: '' }
  })
})

test('a step sees what comes before it in the graph, directly or not, and nothing else', () => {
  base
    .step('a', count)
    .step('b', count, () => ({}), { after: ['a'] })
    .step('c', count, () => ({}), { after: ['a'] })
    .step(
      'd',
      count,
      (scope) => {
        expectTypeOf<keyof typeof scope>().toEqualTypeOf<'params' | 'a' | 'c'>()
        return {}
      },
      { after: ['c'] },
    )
    .step(
      'e',
      count,
      (scope) => {
        expectTypeOf<keyof typeof scope>().toEqualTypeOf<'params' | 'a' | 'b' | 'c'>()
        return {}
      },
      { after: ['b', 'c'] },
    )
    .step(
      'f',
      count,
      (scope) => {
        expectTypeOf<keyof typeof scope>().toEqualTypeOf<'params'>()
        return {}
      },
      { after: [] },
    )
})

test('conditions, keys and limits see the same', () => {
  base
    .step('user', createUser, () => ({ email: '' }))
    .step('count', count, ({ user }) => ({ n: user.id.length }), {
      after: ['user'],
      when: ({ user, params }) => {
        expectTypeOf(user).toEqualTypeOf<User>()
        return params.paid
      },
      idempotencyKey: ({ user }) => user.id,
      limit: { key: ({ user }) => user.id, max: 3 },
    })
})

test('a step that continues on errors is its result or its error', () => {
  const settled = base.step('user', createUser, () => ({ email: '' }), { onError: 'continue' })
  settled.value('x', ({ user }) => {
    expectTypeOf(user).toEqualTypeOf<Settled<User>>()
    if (user.error) expectTypeOf(user.error).toEqualTypeOf<StepError>()
    else expectTypeOf(user.result).toEqualTypeOf<User>()
  })
  workflow('continues', { onError: 'continue' })
    .step('a', count)
    .step('b', count, undefined, { onError: 'fail' })
    .value('x', ({ a, b }) => {
      expectTypeOf(a).toEqualTypeOf<Settled<number>>()
      expectTypeOf(b).toEqualTypeOf<number>()
    })
})

const maybe = base.step('a', count).step('b', count, undefined, { when: () => true })

test('a step that may be skipped may be undefined, unless whoever sees it would be skipped with it', () => {
  maybe
    .step('c', count, ({ b }) => {
      expectTypeOf(b).toEqualTypeOf<number>()
      return { n: b }
    })
    .step('d', count, ({ b, c }) => {
      expectTypeOf(b).toEqualTypeOf<number>()
      expectTypeOf(c).toEqualTypeOf<number>()
      return {}
    })
    .value(
      'e',
      ({ a, b, d }) => {
        expectTypeOf(a).toEqualTypeOf<number>()
        expectTypeOf(b).toEqualTypeOf<number | undefined>()
        expectTypeOf(d).toEqualTypeOf<number | undefined>()
      },
      { after: ['a', 'd'] },
    )
    .value('f', ({ e }) => expectTypeOf(e).toEqualTypeOf<null>())
})

test('so with onSkipped, which runs it all the same', () => {
  maybe
    .value('c', ({ b }) => expectTypeOf(b).toEqualTypeOf<number | undefined>(), { onSkipped: 'run' })
    .value('d', ({ a }) => expectTypeOf(a).toEqualTypeOf<number | undefined>(), { onSkipped: 'run' })
  maybe
    .value('c', ({ b }) => b, { join: 'any', onSkipped: 'run' })
    .value('d', ({ c }) => c satisfies number | null, { after: ['b', 'c'] })
})

test('a fork of two conditions leaves what both come after', () => {
  maybe
    .step('c', count, undefined, { after: ['b'], when: () => true })
    .step('d', count, undefined, { after: ['b'], when: () => true })
    .value(
      'e',
      ({ b, c, d }) => {
        expectTypeOf(b).toEqualTypeOf<number>()
        expectTypeOf(c).toEqualTypeOf<number | undefined>()
        expectTypeOf(d).toEqualTypeOf<number | undefined>()
      },
      { after: ['c', 'd'] },
    )
})

test('a join of any is sure of what all its dependencies come after', () => {
  for (const join of ['any', 2] as const)
    base
      .step('a', count)
      .step('b', count, undefined, { after: ['a'] })
      .step('c', count, undefined, { after: ['a'] })
      .value(
        'd',
        ({ a, b, c }) => {
          expectTypeOf(a).toEqualTypeOf<number>()
          expectTypeOf(b).toEqualTypeOf<number | undefined>()
          expectTypeOf(c).toEqualTypeOf<number | undefined>()
          return true
        },
        { after: ['b', 'c'], join, others: 'cancel' },
      )
      .result(({ a, b, d }) => {
        expectTypeOf(a).toEqualTypeOf<number>()
        expectTypeOf(b).toEqualTypeOf<number | undefined>()
        expectTypeOf(d).toEqualTypeOf<boolean>()
      })
})

test('a step that another cancels may be undefined', () => {
  base
    .step('a', count)
    .step('b', count, undefined, { after: [], cancels: ['a'] })
    .value('c', ({ a, b }) => [a satisfies number | undefined, b], { after: ['a', 'b'] })
    .result(({ a, b }) => {
      expectTypeOf(a).toEqualTypeOf<number | undefined>()
      expectTypeOf(b).toEqualTypeOf<number>()
    })
})

test('where a step ends the workflow, every other step may be undefined', () => {
  base
    .step('a', count)
    .step('end', count, undefined, { after: [], cancels: ['*'] })
    .step('b', count, undefined, { after: ['a'] })
    .result(({ a, b }) => {
      expectTypeOf(a).toEqualTypeOf<number | undefined>()
      expectTypeOf(b).toEqualTypeOf<number | undefined>()
    })
})

test('a list that does not wait for all results in what was completed', () => {
  base
    .forEach(
      'each',
      () => ['x'],
      count,
      () => ({}),
      {
        more: 'add',
        payload: z.string(),
        rest: 'cancel',
        until: ({ params }, { result }) => {
          expectTypeOf(params).toEqualTypeOf<Parsed>()
          expectTypeOf(result).toEqualTypeOf<number[]>()
          return result.length > 2
        },
      },
    )
    .signal('enough', { after: [], transient: true, completes: ['each'] })
    .result(({ each }) => expectTypeOf(each).toEqualTypeOf<number[]>())
})

test('values keep their literal types, sleeps leave null', () => {
  base
    .value('route', ({ params }) => (params.paid ? ('a' as const) : ('b' as const)))
    .value('date', () => ({ at: new Date(), no: undefined as number | undefined }))
    .value('nothing', () => {})
    .sleep('pause', 60_000)
    .sleep('nap', ({ route }) => route.length)
    .sleepUntil('morning', ({ params }) => params.at)
    .sleepUntil('noon', ({ date }) => date.at)
    .value('x', (scope) => {
      expectTypeOf(scope.route).toEqualTypeOf<'a' | 'b'>()
      expectTypeOf(scope.date).toEqualTypeOf<{ at: string; no: number | undefined }>()
      expectTypeOf(scope.nothing).toEqualTypeOf<null>()
      expectTypeOf(scope.noon).toEqualTypeOf<null>()
    })
})

test('a signal leaves its payload, an approval its decision', () => {
  base
    .signal('paid', { payload: z.object({ on: z.coerce.date() }), deadlineMs: 5, fallback: { on: '2030-01-01' } })
    .signal('any')
    .approval('review', { approvers: ['boss'], deadlineMs: 5, fallback: { approved: false, comment: 'late' } })
    .approval('typed', { payload: numberSchema, when: ({ review }) => review.approved })
    .approval('late', { payload: numberSchema, deadlineMs: 5, fallback: { approved: false } })
    .approval('full', { payload: numberSchema, deadlineMs: 5, fallback: { approved: false, payload: 0 } })
    .value('x', ({ paid, any, review, typed, late, full }) => {
      expectTypeOf(paid).toEqualTypeOf<{ on: string }>()
      expectTypeOf(any).toBeUnknown()
      expectTypeOf(review).toEqualTypeOf<Decision<unknown>>()
      expectTypeOf(typed).toEqualTypeOf<Decision<number>>()
      expectTypeOf(late).toEqualTypeOf<Decision<number | null>>()
      expectTypeOf(full).toEqualTypeOf<Decision<number>>()
    })
})

test('a forEach maps its items and leaves the results in a list', () => {
  base
    .step('users', actionRef<unknown, { email: string }[]>('list-users'))
    .forEach(
      'created',
      ({ users }) => users,
      createUser,
      ({ params }, item, index) => {
        expectTypeOf(params).toEqualTypeOf<Parsed>()
        expectTypeOf(item).toEqualTypeOf<{ email: string }>()
        expectTypeOf(index).toEqualTypeOf<number>()
        return item
      },
      { concurrency: 4, idempotencyKey: (_, item) => item.email, limit: { key: (_, item) => item.email, max: 1 } },
    )
    .forEach(
      'dates',
      ({ params }) => [params.at],
      free,
      (_, item) => expectTypeOf(item).toEqualTypeOf<Date>(),
    )
    .value('x', ({ created }) => expectTypeOf(created).toEqualTypeOf<User[]>())
})

test('a repeat sees the result before, and leaves the last', () => {
  base
    .repeat(
      'poll',
      count,
      ({ params }, { index, previous }) => {
        expectTypeOf(previous).toEqualTypeOf<number | undefined>()
        return { n: params.email.length + index }
      },
      { until: ({ params }, { index, result }) => result > index && params.paid, max: 10 },
    )
    .value('x', ({ poll }) => expectTypeOf(poll).toEqualTypeOf<number>())
})

test('a forEach or a repeat that continues on errors does so for each of its executions', () => {
  base
    .forEach(
      'each',
      () => [1],
      count,
      (_, n) => ({ n }),
      { onError: 'continue' },
    )
    .repeat('poll', count, (_, { previous }) => ({ n: previous?.result ?? 0 }), {
      until: (_, { result }) => result.error === undefined && result.result > 3,
      max: 10,
      onError: 'continue',
    })
    .value('x', ({ each, poll }) => {
      expectTypeOf(each).toEqualTypeOf<Settled<number>[]>()
      expectTypeOf(poll).toEqualTypeOf<Settled<number>>()
    })
})

test('a workflow is a step of another, typed by what its callers give and get; so are references', () => {
  const inner = base.step('user', createUser, () => ({ email: '' })).result(({ user }) => user.id)
  workflow('outer')
    .step('inner', inner, () => ({ email: 'a', at: '2030-01-01' }))
    .step('again', workflowRef<{ n: number }, { total: number }>('outer'), ({ inner }) => ({ n: inner.length }))
    .value('x', ({ inner, again }) => {
      expectTypeOf(inner).toEqualTypeOf<string>()
      expectTypeOf(again).toEqualTypeOf<{ total: number }>()
    })
})

test('a workflow without a schema for its step’s params takes any value', () => {
  base
    .step('a', free, () => ({ any: 1 }))
    .step('b', free, () => 7)
    .step('c', free)
})

test('a caller gives the input of the params schema and gets the result', () => {
  const ended = base.step('user', createUser, () => ({ email: '' })).result(({ user }) => ({ user, at: new Date() }))
  expectTypeOf(ended).toEqualTypeOf<Workflow<'base', Given, { user: User; at: string }>>()
  expectTypeOf<ParamsOf<typeof base>>().toEqualTypeOf<Given>()
})

test('without a result it is that of the step declared last, or null where it may be skipped', () => {
  expectTypeOf<ResultOf<typeof base>>().toEqualTypeOf<null>()
  const sure = base.step('user', createUser, () => ({ email: '' }))
  expectTypeOf<ResultOf<typeof sure>>().toEqualTypeOf<User>()
  expectTypeOf<ResultOf<typeof maybe>>().toEqualTypeOf<number | null>()
  const after = maybe.step('c', count)
  expectTypeOf<ResultOf<typeof after>>().toEqualTypeOf<number | null>()
})

test('a base can be continued in two ways', () => {
  const one = base.step('a', count)
  one.step('b', count).value('x', ({ b }) => b)
  one.step('b', createUser, () => ({ email: '' })).value('x', ({ b }) => b.id)
})

test('workflows of all types fit into one list, for the server and for the client', () => {
  const workflows: readonly Workflow[] = [base, maybe, maybe.result(() => 1), workflow('free')]
  const definitions: readonly WorkflowDefinition[] = workflows
  const definition: WorkflowDefinition<'base', Given, number | null> = maybe
  const app = { workflows: [base, maybe, workflow('other')] }
  expectTypeOf(app.workflows[0]!.name).toEqualTypeOf<'base' | 'other'>()
  void [definitions, definition]
})

test('previous versions are workflows of the same name', () => {
  workflow('base', { previous: [base, maybe], version: '2' })
})

test('JSON is what it is on the client', () => {
  expectTypeOf<Json<{ at: Date; list: readonly Date[]; f(): void; o?: Date }>>().toEqualTypeOf<{
    at: string
    list: readonly string[]
    f: never
    o?: string
  }>()
})

test('a chain of 60 steps is typed to its end', () => {
  // biome-ignore format: a chain this long is easier to count in lines of ten
  const chain = base.step('s0', createUser, () => ({ email: '' }))
    .step('s1', count).step('s2', count).step('s3', count).step('s4', count).step('s5', count)
    .step('s6', count).step('s7', count).step('s8', count).step('s9', count).step('s10', count)
    .step('s11', count).step('s12', count).step('s13', count).step('s14', count).step('s15', count)
    .step('s16', count).step('s17', count).step('s18', count).step('s19', count).step('s20', count)
    .step('s21', count).step('s22', count).step('s23', count).step('s24', count).step('s25', count)
    .step('s26', count).step('s27', count).step('s28', count).step('s29', count).step('s30', count)
    .step('s31', count, ({ s30 }) => ({ n: s30 })).step('s32', count, ({ s0 }) => ({ n: s0.id.length }))
    .step('s33', count, ({ s2 }) => ({ n: s2 })).step('s34', count, ({ s33 }) => ({ n: s33 }), { after: ['s1', 's33'] })
    .value('s35', ({ s34 }) => s34).value('s36', ({ s1 }) => s1).value('s37', ({ s0 }) => s0).value('s38', () => 1)
    .value('s39', ({ s38 }) => s38).value('s40', ({ s1 }) => s1).value('s41', ({ s0 }) => s0).value('s42', () => 1)
    .value('s43', ({ s42 }) => s42).value('s44', ({ s1 }) => s1).value('s45', ({ s0 }) => s0).value('s46', () => 1)
    .value('s47', ({ s46 }) => s46).value('s48', ({ s1 }) => s1).value('s49', ({ s0 }) => s0).value('s50', () => 1)
    .value('s51', ({ s50 }) => s50).value('s52', ({ s1 }) => s1).value('s53', ({ s0 }) => s0).value('s54', () => 1)
    .value('s55', ({ s54 }) => s54).value('s56', ({ s1 }) => s1).value('s57', ({ s0 }) => s0).value('s58', () => 1)
    .value('s59', ({ s0, s58 }) => ({ first: s0, last: s58 }))
  expectTypeOf<ResultOf<typeof chain>>().toEqualTypeOf<{ first: User; last: number }>()
})
