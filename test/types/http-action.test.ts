import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { createActionHandler, postgresStore } from '../../sdk/src/service/index.ts'
import { type Action, httpAction } from '../../src/index.ts'
import { SECRET } from '../support/http-service.ts'

test('an HTTP action has the types of its schemas, as any action has', () => {
  const charge = httpAction('charge', {
    url: 'https://bank.example/',
    secret: SECRET,
    params: z.object({ cents: z.number().default(1) }),
    result: z.object({ at: z.string().transform(Number) }),
  })
  expectTypeOf(charge).toEqualTypeOf<Action<'charge', { cents?: number | undefined }, { at: number }>>()
})

test('a service’s functions get what their params schemas give, and what the store writes through', () => {
  interface Tx {
    write(text: string): void
  }
  createActionHandler({
    secret: SECRET,
    store: postgresStore<Tx>({ transaction: (work) => work({ write() {} }), query: async () => [{ free: true }] }),
    actions: {
      charge: {
        params: z.object({ cents: z.number().default(1) }),
        run: ({ params, tx }) => {
          expectTypeOf(params).toEqualTypeOf<{ cents: number }>()
          expectTypeOf(tx).toEqualTypeOf<Tx>()
        },
        compensate: ({ params }) => expectTypeOf(params).toEqualTypeOf<{ cents: number }>() && undefined,
      },
      free: { run: ({ params }) => expectTypeOf(params).toEqualTypeOf<unknown>() },
    },
  })
})
