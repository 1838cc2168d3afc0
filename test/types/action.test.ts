import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { type Action, action, type HandlerContext, type UserTransaction } from '../../src/index.ts'
import { numberSchema } from '../executor/hand-written-schema.ts'

const params = z.object({
  to: z.string(),
  at: z.string().transform((text) => new Date(text)),
  copies: z.number().default(1),
})
const result = z.object({ id: z.string(), tries: z.string().transform(Number) })
type Given = { to: string; at: string; copies?: number | undefined }
type Parsed = { to: string; at: Date; copies: number }

/** What the type of an action says of its callers. */
type ParamsOf<A> = A extends Action<string, infer P, unknown> ? P : never
type ResultOf<A> = A extends Action<string, unknown, infer R> ? R : never

test('a handler gets the output of the params schema and returns the input of the result schema', () => {
  action('send', {
    params,
    result,
    run: (context) => {
      expectTypeOf(context.params).toEqualTypeOf<Parsed>()
      expectTypeOf(context).toEqualTypeOf<HandlerContext<Parsed>>()
      return { id: 'm', tries: '3' }
    },
  })
})

test('a caller gives the input of the params schema and gets the output of the result schema', () => {
  const send = action('send', { params, result, run: () => ({ id: 'm', tries: '3' }) })
  expectTypeOf(send).toEqualTypeOf<Action<'send', Given, { id: string; tries: number }>>()
  expectTypeOf<ParamsOf<typeof send>>().toEqualTypeOf<Given>()
  expectTypeOf<ResultOf<typeof send>>().toEqualTypeOf<{ id: string; tries: number }>()
})

test('without schemas params and result are unknown, and a handler may return anything or nothing', () => {
  const free = action('free', {
    run: ({ params }) => {
      expectTypeOf(params).toBeUnknown()
    },
  })
  expectTypeOf(free).toEqualTypeOf<Action<'free', unknown, unknown>>()
  expectTypeOf(action('late', { run: async () => 7 })).toEqualTypeOf<Action<'late', unknown, unknown>>()
})

test('only the handler of a transactional action has a transaction', () => {
  action('transfer', {
    effect: 'transactional',
    params,
    run: ({ tx, params }) => {
      expectTypeOf(tx).toEqualTypeOf<UserTransaction>()
      expectTypeOf(params).toEqualTypeOf<Parsed>()
    },
  })
  for (const effect of ['idempotent', 'unsafe'] as const)
    action('send', {
      effect,
      run: (context) => {
        expectTypeOf(context).not.toHaveProperty('tx')
      },
    })
  action('send', {
    run: (context) => {
      expectTypeOf(context).not.toHaveProperty('tx')
    },
  })
})

test('a probe gets the params, and its result is the input of the result schema', () => {
  action('charge', {
    effect: 'unsafe',
    params,
    result,
    run: async () => ({ id: 'm', tries: '1' }),
    probe: async (context) => {
      expectTypeOf(context.params).toEqualTypeOf<Parsed>()
      expectTypeOf(context).not.toHaveProperty('attempt')
      return context.params.copies > 1
        ? { outcome: 'not-executed' }
        : { outcome: 'succeeded', result: { id: 'm', tries: '1' } }
    },
  })
})

test('a compensation gets the params and the output of the result schema', () => {
  action('reserve', {
    params,
    result,
    run: () => ({ id: 'm', tries: '1' }),
    compensate: (context) => {
      expectTypeOf(context.params).toEqualTypeOf<Parsed>()
      expectTypeOf(context.result).toEqualTypeOf<{ id: string; tries: number }>()
    },
  })
})

test('a Standard Schema written by hand types an action like any library’s', () => {
  const twice = action('twice', {
    params: numberSchema,
    result: numberSchema,
    run: ({ params }) => {
      expectTypeOf(params).toEqualTypeOf<number>()
      return String(params * 2)
    },
  })
  expectTypeOf(twice).toEqualTypeOf<Action<'twice', number | string, number>>()
})

test('actions of all types fit into one list', () => {
  const actions: readonly Action[] = [
    action('a', { params, result, run: () => ({ id: 'm', tries: '3' }) }),
    action('b', { params: numberSchema, effect: 'transactional', run: ({ tx }) => tx.rollback() }),
    action('c', { effect: 'unsafe', run: () => null, probe: async () => ({ outcome: 'unknown' }) }),
  ]
  expectTypeOf(actions[0]!.name).toEqualTypeOf<string>()
})
