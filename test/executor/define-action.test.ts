import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type ActionOptions, action } from '../../src/executor/define-action.ts'
import { numberSchema } from './hand-written-schema.ts'

type Options = ActionOptions<undefined, undefined, 'idempotent'>
const run = () => null

describe('a definition', () => {
  test('needs no more than a name and a handler', () => {
    expect(action('mail', { run })).toEqual({
      kind: 'action',
      name: 'mail',
      description: undefined,
      version: '1',
      effect: 'idempotent',
      retry: { maxAttempts: 3, backoff: { initialMs: 500, factor: 2, maxMs: 60_000, jitter: true } },
      timeoutMs: 60_000,
      concurrency: undefined,
      paramsSchema: undefined,
      resultSchema: undefined,
      run,
      probe: undefined,
      compensate: undefined,
    })
  })

  test('keeps what it is given', () => {
    const params = z.object({ to: z.string() })
    const probe = async () => ({ outcome: 'unknown' }) as const
    const compensate = () => {}
    const given = { description: 'Sends.', version: '7', effect: 'unsafe', timeoutMs: 5, concurrency: 2 } as const
    const defined = action('mail', {
      ...given,
      params,
      result: numberSchema,
      retry: { maxAttempts: 9 },
      run: () => 1,
      probe,
      compensate,
    })
    expect(defined).toMatchObject({ ...given, paramsSchema: params, resultSchema: numberSchema, probe, compensate })
    expect(defined.retry.maxAttempts).toBe(9)
  })

  test.each(['a', '0', 'send-welcome-email', 'billing.charge_card', 'a'.repeat(100)])('may be called %s', (name) => {
    expect(action(name, { run }).name).toBe(name)
  })

  test('may be at its limits', () => {
    for (const options of [{ timeoutMs: 1 }, { timeoutMs: 2_147_483_647 }, { concurrency: 1 }])
      expect(action('mail', { ...options, run })).toMatchObject(options)
  })
})

describe('a definition that makes no sense is refused with its name and the member', () => {
  test.each([
    '',
    'Mail',
    'send mail',
    '-mail',
    '.mail',
    '_mail',
    'mail\n',
    'mäil',
    '__proto__',
    'a/b',
    'a'.repeat(101),
    undefined as unknown as string,
    7 as unknown as string,
  ])('name: %j', (name) => {
    expect(() => action(name, { run })).toThrow(TypeError)
    expect(() => action(name, { run })).toThrow(`action ${JSON.stringify(name)}: a name is 1 to 100`)
  })

  const members: [string, object][] = [
    ['effect', { effect: 'safe' }],
    ['run', { run: undefined }],
    ['run', { run: 'mail' }],
    ['params', { params: { type: 'object' } }],
    ['params', { params: null }],
    ['result', { result: {} }],
    ['result', { result: { '~standard': { version: 1 } } }],
    ['retry.maxAttempts', { retry: { maxAttempts: 0 } }],
    ['retry.backoff.factor', { retry: { backoff: { factor: 0 } } }],
    ...[0, -1, 0.5, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2_147_483_648, '5'].map(
      (timeoutMs): [string, object] => ['timeoutMs', { timeoutMs }],
    ),
    ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY].map((concurrency): [string, object] => [
      'concurrency',
      { concurrency },
    ]),
  ]

  test.each(members)('%s: %o', (member, options) => {
    expect(() => action('mail', { run, ...options } as Options)).toThrow(`action "mail": ${member} `)
  })

  test.each(['idempotent', 'transactional'] as const)(
    'probe of an action that is %s: running again is its repair',
    (effect) => {
      const probe = async () => ({ outcome: 'unknown' }) as const
      expect(() => action('mail', { effect, run, probe })).toThrow(
        'action "mail": probe belongs to effect "unsafe" only',
      )
      expect(action('mail', { effect: 'unsafe', run, probe }).probe).toBe(probe)
    },
  )
})
