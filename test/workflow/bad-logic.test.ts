// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the format's own
import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, type Workflow, workflow, workflowRef } from '../../src/index.ts'
import { operate } from '../support/operations.ts'
import { startWorkflowServer, statesOf } from '../support/workflows.ts'
import { atRest, echo, stillWorks } from './bad-support.ts'

/** What a compiler would not let pass, and JavaScript does. */
const untyped = <T>(value: unknown): T => value as T

const throwing = (value: unknown) => () => {
  throw value
}

const circular: Record<string, unknown> = {}
circular.self = circular

// biome-ignore lint/suspicious/noThenProperty: what passes for a promise is what is tested
const thenable = { then: throwing('no') }
const rejected = () => Promise.reject(new Error('nobody looks at this'))
const list = (items: unknown) => (w: ReturnType<typeof workflow>) =>
  w.forEach(
    'a',
    () => untyped<unknown[]>(items),
    echo,
    (_, item) => ({ item }),
  )

/** A workflow of one step whose logic goes wrong: what it is told by. */
const CASES: [what: string, declare: (w: ReturnType<typeof workflow>) => Workflow, code: string, message: RegExp][] = [
  [
    'a mapper that throws',
    (w) => w.step('a', echo, throwing(new Error('no'))),
    'MAPPING_FAILED',
    /mapper .*"a" threw: no/,
  ],
  ['a mapper that throws a text', (w) => w.step('a', echo, throwing('no')), 'MAPPING_FAILED', /threw: no/],
  ['a mapper that throws nothing', (w) => w.step('a', echo, throwing(undefined)), 'MAPPING_FAILED', /threw/],
  ['a mapper that throws a circle', (w) => w.step('a', echo, throwing(circular)), 'MAPPING_FAILED', /threw/],
  ['a promise', (w) => w.step('a', echo, () => untyped(Promise.resolve({}))), 'MAPPING_FAILED', /promise/],
  ['a promise that rejects', (w) => w.step('a', echo, () => untyped(rejected())), 'MAPPING_FAILED', /promise/],
  ['a promise within', (w) => w.value('a', () => ({ x: rejected() })), 'INVALID_PARAMS', /Promise/],
  ['a thenable that throws', (w) => w.step('a', echo, () => untyped(thenable)), 'MAPPING_FAILED', /promise|no/],
  ['a function', (w) => w.step('a', echo, () => untyped(() => 1)), 'INVALID_PARAMS', /no JSON|function/],
  ['a BigInt', (w) => w.step('a', echo, () => ({ n: 1n })), 'INVALID_PARAMS', /bigint/],
  ['no number', (w) => w.step('a', echo, () => ({ n: Number.NaN })), 'INVALID_PARAMS', /NaN/],
  ['a circle', (w) => w.value('a', () => untyped(circular)), 'INVALID_PARAMS', /JSON|deeper/],
  ['NUL', (w) => w.step('a', echo, () => ({ text: 'a\0b' })), 'INVALID_PARAMS', /NUL/],
  ['too much', (w) => w.step('a', echo, () => ({ text: 'x'.repeat(3_000) })), 'PAYLOAD_TOO_LARGE', /2000/],
  ['a value of too much', (w) => w.value('a', () => 'x'.repeat(3_000)), 'PAYLOAD_TOO_LARGE', /2000/],
  ['params that do not fit', (w) => w.step('a', typed, () => untyped({ n: 'one' })), 'INVALID_PARAMS', /n/],
  [
    'a condition that is no boolean',
    (w) => w.step('a', echo, () => ({}), { when: () => untyped<boolean>(1) }),
    'MAPPING_FAILED',
    /boolean/,
  ],
  [
    'a condition that throws',
    (w) => w.step('a', echo, () => ({}), { when: throwing(new Error('no')) }),
    'MAPPING_FAILED',
    /condition/,
  ],
  ['a list that is none', list({ length: 3 }), 'MAPPING_FAILED', /no array/],
  ['a list that is null', list(null), 'MAPPING_FAILED', /no array/],
  ['10,001 items', list(Array.from({ length: 10_001 }, (_, i) => i)), 'TOO_MANY_RUNS', /10001 items; at most 10000/],
  ['an item that is no JSON', list([1, { n: 2n }]), 'INVALID_PARAMS', /a\[1\].*bigint|bigint/],
  [
    'a loop whose condition is no boolean',
    (w) => w.repeat('a', echo, () => ({}), { until: () => untyped('yes'), max: 3 }),
    'MAPPING_FAILED',
    /boolean/,
  ],
  [
    'a loop that never ends',
    (w) => w.repeat('a', echo, () => ({}), { until: () => false, max: 3 }),
    'LOOP_EXHAUSTED',
    /3 iterations/,
  ],
  ['a sleep of no time', (w) => w.sleep('a', () => Number.NaN), 'MAPPING_FAILED', /sleeps/],
  ['a sleep into the past', (w) => w.sleep('a', () => -1), 'MAPPING_FAILED', /sleeps/],
  ['a sleep of a hundred years', (w) => w.sleep('a', () => 3_200_000_000_000), 'MAPPING_FAILED', /ten years/],
  ['a moment that is none', (w) => w.sleepUntil('a', () => 'soon'), 'MAPPING_FAILED', /soon/],
  ...['', 'k'.repeat(256), 'a\0b', 5, null].map((key): (typeof CASES)[number] => [
    `the business key ${JSON.stringify(key)?.slice(0, 20)}`,
    (w) => w.step('a', echo, () => ({}), { idempotencyKey: () => untyped(key) }),
    'MAPPING_FAILED|INVALID_IDEMPOTENCY_KEY',
    /key/,
  ]),
  ...['', 5, null].map((key): (typeof CASES)[number] => [
    `the key ${JSON.stringify(key)} of a limit`,
    (w) => w.step('a', echo, () => ({}), { limit: { key: () => untyped(key), max: 1 } }),
    'MAPPING_FAILED|INVALID_IDEMPOTENCY_KEY',
    /key/,
  ]),
]

const typed = action('typed', { params: z.object({ n: z.number() }), run: () => null })

test('what the logic of a step does wrong fails the step, says so, and harms nothing else', async () => {
  const workflows = CASES.map(([, declare], i) => declare(workflow(`w${i}`)))
  const server = await startWorkflowServer({
    actions: [echo, typed],
    workflows,
    maxParamsBytes: 2_000,
    maxResultBytes: 2_000,
  })
  for (const [i, [what, , code, message]] of CASES.entries()) {
    const run = await server.run({ name: `w${i}` })
    const { error } = run.steps[0]!
    expect.soft({ what, status: run.status, error }).toMatchObject({
      what,
      status: 'FAILED',
      error: { code: expect.stringMatching(code), message: expect.stringMatching(message) },
    })
    expect
      .soft({ what, error: run.error })
      .toMatchObject({ what, error: { code: 'STEP_FAILED', details: { code: error?.code } } })
    expect
      .soft(
        run.events.map(({ seq }) => seq),
        what,
      )
      .toEqual(run.events.map((_, k) => k + 1))
  }
  await stillWorks(server)
})

test('a step whose logic was wrong is retried once it is right', async () => {
  let wrong = true
  const w = workflow('w').step('a', echo, () => (wrong ? untyped<{ n: number }>(rejected()) : { n: 1 }))
  const server = await startWorkflowServer({ workflows: [w] })
  const failed = await server.run({ name: 'w' })
  expect(failed).toMatchObject({ status: 'FAILED' })
  await operate(server, 'retryRun', { id: failed.id })
  expect((await atRest(server, failed.id)).status).toBe('FAILED')
  wrong = false
  await operate(server, 'retryRun', { id: failed.id })
  expect(await atRest(server, failed.id)).toMatchObject({ status: 'SUCCEEDED', result: { n: 1 } })
})

test('a result that cannot be computed fails the workflow, and what its steps did stays', async () => {
  const bad = [throwing(new Error('no')), () => untyped(rejected()), () => ({ n: 1n }), () => 'x'.repeat(3_000)]
  const workflows = bad.map((result, i) => workflow(`w${i}`).step('a', echo).result(result))
  const server = await startWorkflowServer({ workflows, maxResultBytes: 2_000 })
  for (const { name } of workflows) {
    const run = await server.run({ name })
    expect(run).toMatchObject({ status: 'FAILED', error: { message: expect.stringContaining('result') } })
    expect(statesOf(run)).toEqual({ a: 'SUCCEEDED' })
    expect(run.events.at(-1)).toMatchObject({ reason: 'RESULT_REFUSED' })
  }
})

test('an expression that fails, or takes too long, fails its step and nothing else', async () => {
  const numbers = Array.from({ length: 5_000 }, (_, i) => i)
  const server = await startWorkflowServer({ actions: [echo] })
  for (const [expression, message] of [
    ['params.none.here', /steps\.0\.params\.n.*params\.none/],
    ['params.list[10001]', /steps\.0\.params\.n/],
    ['1 / 0', /steps\.0\.params\.n/],
    ['params.list.map(x, params.list.map(y, x + y))', /operations/],
    ['params.list.map(x, params.list)', /characters/],
  ] as const) {
    const definition = { name: 'd', steps: [{ key: 'a', action: 'echo', params: { n: `\${${expression}}` } }] }
    const began = performance.now()
    const run = await server.run({ definition, params: { list: numbers } })
    expect(performance.now() - began).toBeLessThan(5_000)
    expect.soft(run).toMatchObject({ status: 'FAILED', error: { details: { code: 'MAPPING_FAILED' } } })
    expect.soft(run.steps[0]?.error?.message).toMatch(message)
  }
  const unread = { name: 'd', steps: [{ key: 'a', action: 'echo', when: 'params.list' }] }
  expect((await server.run({ definition: unread, params: { list: 1 } })).steps[0]?.error?.message).toMatch(
    /neither true nor false/,
  )
  await stillWorks(server)
})

test('a recursion without end is stopped, and what called it fails', { timeout: 60_000 }, async () => {
  const endless = workflow('endless').step('again', workflowRef('endless'), () => ({}))
  const server = await startWorkflowServer({ actions: [echo], workflows: [endless] })
  const run = await server.run({ name: 'endless', waitMs: 50_000 })
  expect(run).toMatchObject({ status: 'FAILED', error: { code: 'STEP_FAILED', details: { step: 'again' } } })
  expect(run.error?.message).toContain('nested deeper than 100 levels')
  await stillWorks(server)
})
