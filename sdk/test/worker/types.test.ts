import { describe, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { type DoError, Worker, type WorkerAction } from '../../src/worker/index.ts'

// compiled, never called: the types are the test
const onlyCompiled = (_: () => unknown): void => {}

describe('the types of a worker', () => {
  it('give each function the params of its own schema, and compensate the result', () =>
    onlyCompiled(() => {
      const worker = new Worker({
        actions: {
          charge: {
            effect: 'unsafe',
            params: z.object({ cents: z.number(), at: z.string().transform((text) => new Date(text)) }),
            result: z.object({ id: z.string(), at: z.string().transform((text) => new Date(text)) }),
            run: async ({ params, signal, heartbeat, lastHeartbeat, idempotencyKey, runId, attempt }) => {
              expectTypeOf(params).toEqualTypeOf<{ cents: number; at: Date }>()
              expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
              expectTypeOf(lastHeartbeat).toBeUnknown()
              expectTypeOf(attempt).toBeNumber()
              heartbeat({ done: 1 })
              return { id: idempotencyKey + runId, at: '2026-01-01' }
            },
            compensate: ({ params, result }) => {
              expectTypeOf(params.cents).toBeNumber()
              expectTypeOf(result).toEqualTypeOf<{ id: string; at: Date }>()
            },
            probe: async ({ params }) =>
              params.cents > 0
                ? { outcome: 'succeeded', result: { id: 'a', at: '2026-01-01' } }
                : { outcome: 'not-executed' },
          },
          ping: {
            run: ({ params }) => {
              expectTypeOf(params).toBeUnknown()
              return 5
            },
          },
          greet: {
            params: z.object({ name: z.string() }),
            run: ({ params }) => {
              expectTypeOf(params).toEqualTypeOf<{ name: string }>()
            },
            compensate: ({ result }) => void expectTypeOf(result).toBeUnknown(),
          },
          count: {
            result: z.number(),
            run: ({ params }) => {
              expectTypeOf(params).toBeUnknown()
              return 5
            },
          },
        },
      })
      expectTypeOf(worker.id).toEqualTypeOf<string | undefined>()
      const any: Worker = worker
      return any
    }))

  it('take a single action without schemas, and actions that are defined elsewhere', () =>
    onlyCompiled(() => {
      new Worker({ actions: { greet: { run: async ({ idempotencyKey, params }) => ({ idempotencyKey, params }) } } })
      const schema = z.object({ n: z.number() })
      const loose: WorkerAction = { run: () => 5 }
      const typed: WorkerAction<typeof schema> = { params: schema, run: ({ params }) => params.n }
      new Worker({ actions: { loose, typed } })
      const all: Record<string, WorkerAction> = { loose }
      new Worker({ actions: all })
    }))

  it('refuse results that do not fit, wrong effects, and functions that are missing', () =>
    onlyCompiled(() => {
      new Worker({
        actions: {
          // @ts-expect-error: the result is a number
          count: { result: z.number(), run: () => 'five' },
        },
      })
      new Worker({
        // @ts-expect-error: only the server can
        actions: { ping: { effect: 'transactional', run: () => 5 } },
      })
      new Worker({
        // @ts-expect-error: run is missing
        actions: { ping: { description: 'nothing' } },
      })
      // @ts-expect-error: there are no actions
      new Worker({ name: 'mailer' })
    }))

  it('tell onError of anything, and at what', () =>
    onlyCompiled(
      () =>
        new Worker({
          actions: { ping: { run: () => 5 } },
          onError: (error, { phase, runId }) => {
            expectTypeOf(error).toBeUnknown()
            expectTypeOf(phase).toExtend<string>()
            expectTypeOf(runId).toEqualTypeOf<string | undefined>()
            return error as DoError
          },
        }),
    ))
})
