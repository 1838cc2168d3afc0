import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { Worker } from '../../src/worker/index.ts'
import { started } from '../support/worker.ts'
import { WorkerServer } from '../support/worker-server.ts'

const run = () => 'done'
const make = (options: object) => () => new Worker(options as never)
const withAction = (action: unknown, name = 'greet') => make({ actions: { [name]: action } })

describe('new Worker', () => {
  it.each([
    ['actions', make({})],
    ['actions is empty', make({ actions: {} })],
    ['"Greet": a name', withAction({ run }, 'Greet')],
    ['a name', withAction({ run }, 'a'.repeat(101))],
    ['"greet" must be an object', withAction(run)],
    ['run must be', withAction({ run: 'x' })],
    ['compensate must be', withAction({ run, compensate: true })],
    ['probe must be', withAction({ run, effect: 'unsafe', probe: true })],
    ['probe belongs to', withAction({ run, probe: run })],
    ['effect is "transactional"; such an action writes', withAction({ run, effect: 'transactional' })],
    ['effect is "safe"', withAction({ run, effect: 'safe' })],
    ['params must be a Standard Schema', withAction({ run, params: { type: 'object' } })],
    ['result must be a Standard Schema', withAction({ run, result: {} })],
    ['name', make({ name: '', actions: { greet: { run } } })],
    ['url', make({ url: 'nowhere', actions: { greet: { run } } })],
  ])('throws a TypeError that says %s', (message, construct) => {
    expect(construct).toThrow(TypeError)
    expect(construct).toThrow(message)
  })

  it.each([
    ['"greet": timeoutMs is 0', withAction({ run, timeoutMs: 0 })],
    ['"greet": timeoutMs', withAction({ run, timeoutMs: 2 ** 31 })],
    ['"greet": concurrency is 0.5', withAction({ run, concurrency: 0.5 })],
    ['concurrency is 0', make({ concurrency: 0, actions: { greet: { run } } })],
    ['concurrency is "5"', make({ concurrency: '5', actions: { greet: { run } } })],
    ['shutdownMs is -1', make({ shutdownMs: -1, actions: { greet: { run } } })],
  ])('throws a RangeError that says %s', (message, construct) => {
    expect(construct).toThrow(RangeError)
    expect(construct).toThrow(message)
  })

  it('takes key and address from the environment', async () => {
    vi.stubEnv('DO_API_KEY', 'from-env')
    vi.stubEnv('DO_URL', 'https://do.example')
    const server = new WorkerServer()
    const fetch = vi.fn(server.fetch)
    const worker = new Worker({ fetch, headers: { 'X-Team': 'mail' }, actions: { greet: { run } } })
    vi.unstubAllEnvs()
    await worker.start()
    await worker.stop()
    const [url, init] = fetch.mock.calls[0]!
    expect(url).toBe('https://do.example/graphql')
    expect(init?.headers).toMatchObject({ authorization: 'Bearer from-env', 'x-team': 'mail' })
  })
})

describe('a registration', () => {
  it('says all of an action but its code, with JSON Schemas where the library can say them', async () => {
    const retry = { maxAttempts: 5, backoff: { initialMs: 10 } }
    const opaque = { '~standard': { version: 1, vendor: 'own', validate: (value: unknown) => ({ value }) } } as const
    const { server } = await started({
      name: 'mailer',
      actions: {
        send: {
          description: 'Sends mail',
          effect: 'unsafe',
          retry,
          timeoutMs: 5_000,
          concurrency: 3,
          params: z.object({ to: z.string(), at: z.string().transform(Number) }),
          result: z.object({ n: z.string().transform(Number).pipe(z.number()) }),
          run: () => ({ n: '1' }),
          probe: () => ({ outcome: 'unknown' }),
          compensate: () => {},
        },
        opaque: { params: opaque, run },
      },
    })
    const object = {
      type: 'object',
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      additionalProperties: false,
    }
    const { additionalProperties: _, ...open } = object
    expect(server.asked('registerWorker')).toEqual([
      {
        name: 'mailer',
        actions: [
          {
            ...{ name: 'send', description: 'Sends mail', effect: 'unsafe', retry, timeoutMs: 5_000 },
            ...{ probe: true, compensate: true },
            paramsSchema: {
              ...open,
              properties: { to: { type: 'string' }, at: { type: 'string' } },
              required: ['to', 'at'],
            },
            resultSchema: { ...object, properties: { n: { type: 'number' } }, required: ['n'] },
          },
          { name: 'opaque', effect: 'idempotent', probe: false, compensate: false },
        ],
      },
    ])
  })
})
