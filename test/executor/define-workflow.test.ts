import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { compileGraph, hashOf } from '../../src/core/workflow/graph.ts'
import type { Scope } from '../../src/core/workflow/logic.ts'
import { action } from '../../src/executor/define-action.ts'
import { actionRef, workflow, workflowRef } from '../../src/executor/define-workflow.ts'
import type { Workflow } from '../../src/executor/workflow-types.ts'
import { lateNumberSchema, numberSchema } from './hand-written-schema.ts'

const run = () => null
const mail = action('mail', { run })
const count = action('count', { result: z.number(), run: () => 1 })

const stepOf = ({ graph }: Workflow, key: string) => graph.steps.find((step) => step.key === key)!
const logicOf = ({ logic }: Workflow, key: string) => logic.steps.get(key)!

/** The scope of a run that has left these results. */
const scope = (params: unknown, results: Record<string, unknown> = {}): Scope => ({
  params,
  result: (key) => results[key],
})

const PLAIN = {
  join: { need: 'all', others: 'finish' },
  conditional: false,
  onSkipped: 'skip',
  cancels: [],
  keyed: false,
}

describe('the graph', () => {
  test('of a workflow that says no more than it must', () => {
    const { graph, ...members } = workflow('mailing').step('first', mail).step('second', actionRef('other'))
    expect(members).toMatchObject({ kind: 'workflow', name: 'mailing', version: '1', previous: [] })
    expect(graph).toStrictEqual({
      name: 'mailing',
      version: '1',
      onError: 'fail',
      steps: [
        { ...PLAIN, key: 'first', work: { kind: 'action', name: 'mail' }, after: [] },
        { ...PLAIN, key: 'second', work: { kind: 'action', name: 'other' }, after: ['first'] },
      ],
    })
  })

  test('keeps what a workflow is given', () => {
    const earlier = workflow('w')
    const full = workflow('w', {
      description: 'Mails.',
      version: '7',
      params: numberSchema,
      onError: 'continue',
      deadlineMs: 5,
      previous: [earlier],
    })
    expect(full.graph).toStrictEqual({
      name: 'w',
      version: '7',
      description: 'Mails.',
      onError: 'continue',
      deadlineMs: 5,
      steps: [],
    })
    expect(full).toMatchObject({ description: 'Mails.', paramsSchema: numberSchema, previous: [earlier] })
  })

  test('keeps what a step is given', () => {
    const w = workflow('w')
      .step('a', mail)
      .step('b', mail, undefined, { after: [] })
      .step('c', mail, () => ({}), {
        after: ['a', 'b'],
        join: 'any',
        others: 'cancel',
        when: () => true,
        onSkipped: 'run',
        onError: 'compensate',
        cancels: ['a'],
        retry: { maxAttempts: 2, backoff: { factor: 3 } },
        timeoutMs: 9,
        effect: 'unsafe',
        idempotencyKey: () => 'k',
        limit: { key: 'l', max: 4 },
      })
    expect(stepOf(w, 'b').after).toEqual([])
    expect(stepOf(w, 'c')).toStrictEqual({
      key: 'c',
      work: { kind: 'action', name: 'mail' },
      after: ['a', 'b'],
      join: { need: 1, others: 'cancel' },
      conditional: true,
      onSkipped: 'run',
      onError: 'compensate',
      cancels: ['a'],
      keyed: true,
      limit: { max: 4, scope: 'everywhere' },
      retry: { maxAttempts: 2, backoff: { factor: 3 } },
      timeoutMs: 9,
      effect: 'unsafe',
    })
  })

  test('has a step of each kind', () => {
    const w = workflow('w')
      .value('value', () => 1)
      .sleep('sleep', 5)
      .sleepUntil('until', () => '2030-01-01')
      .signal('signal')
      .signal('named', { signal: 'paid', deadlineMs: 5, fallback: { n: 1, left: undefined } })
      .approval('approval')
      .approval('decided', { approvers: ['boss'], deadlineMs: 5, fallback: { approved: true, payload: 7 } })
      .forEach(
        'each',
        () => [],
        mail,
        () => ({}),
      )
      .forEach(
        'few',
        () => [],
        mail,
        () => ({}),
        { concurrency: 2 },
      )
      .forEach(
        'some',
        () => [],
        mail,
        () => ({}),
        { need: 3, rest: 'cancel', more: 'add' },
      )
      .signal('bell', { transient: true, cancels: ['*'], completes: ['some'] })
      .repeat('repeat', workflowRef('w'), () => ({}), { until: () => true, max: 3 })
    expect(w.graph.steps.map(({ work }) => work)).toStrictEqual([
      { kind: 'value' },
      { kind: 'sleep' },
      { kind: 'sleep' },
      { kind: 'signal', name: 'signal' },
      { kind: 'signal', name: 'paid', deadlineMs: 5, fallback: { payload: { n: 1 } } },
      { kind: 'signal', name: 'approval', approval: { approvers: null } },
      {
        kind: 'signal',
        name: 'decided',
        deadlineMs: 5,
        fallback: { payload: { approved: true, by: null, comment: null, payload: 7 } },
        approval: { approvers: ['boss'] },
      },
      { kind: 'action', name: 'mail' },
      { kind: 'action', name: 'mail' },
      { kind: 'action', name: 'mail' },
      { kind: 'signal', name: 'bell', transient: true },
      { kind: 'workflow', name: 'w' },
    ])
    expect(stepOf(w, 'each').each).toEqual({ concurrency: null })
    expect(stepOf(w, 'few').each).toEqual({ concurrency: 2 })
    expect(stepOf(w, 'some').each).toEqual({
      concurrency: null,
      enough: { need: 3, rest: 'cancel' },
      more: 'add',
    })
    expect(stepOf(w, 'bell')).toMatchObject({ cancels: ['*'], completes: ['some'], work: { transient: true } })
    expect(stepOf(w, 'repeat').repeat).toEqual({ max: 3 })
  })

  test('is plain JSON, without what is undefined', () => {
    const w = workflow('w')
      // what a caller without exactOptionalPropertyTypes may write
      .step('a', mail, undefined, { retry: { maxAttempts: undefined as unknown as number } })
      .signal('b', { payload: numberSchema })
    expect(w.graph).toStrictEqual(JSON.parse(JSON.stringify(w.graph)))
    expect(hashOf(w.graph)).toBe(hashOf(JSON.parse(JSON.stringify(w.graph))))
  })

  test('does not change with the lists that it was made from', () => {
    const after = ['a' as const]
    const w = workflow('w').step('a', mail).step('b', mail, undefined, { after, cancels: after })
    after.pop()
    expect(stepOf(w, 'b')).toMatchObject({ after: ['a'], cancels: ['a'] })
  })

  test('is made once, as are the functions', () => {
    const w = workflow('w').step('a', mail)
    expect(w.graph).toBe(w.graph)
    expect(w.logic).toBe(w.logic)
    expect(w.actions).toBe(w.actions)
  })
})

describe('a builder', () => {
  test('never changes: two workflows can begin with the same steps', () => {
    const base = workflow('w').step('a', mail)
    const one = base.step('b', mail).step('c', mail)
    const other = base.step('c', count).step('b', count, undefined, { after: ['a'] })
    const keys = (w: Workflow) =>
      w.graph.steps.map(({ key, after, work }) => [key, ...after, 'name' in work && work.name])
    expect(keys(base)).toEqual([['a', 'mail']])
    expect(keys(one)).toEqual([
      ['a', 'mail'],
      ['b', 'a', 'mail'],
      ['c', 'b', 'mail'],
    ])
    expect(keys(other)).toEqual([
      ['a', 'mail'],
      ['c', 'a', 'count'],
      ['b', 'a', 'count'],
    ])
    expect(keys(base.step('b', count))).toHaveLength(2)
  })

  test('knows the actions and workflows that its steps name as objects, each once', () => {
    const inner = workflow('inner')
    const w = workflow('w', { previous: [workflow('w')] })
      .step('a', mail)
      .step('b', inner)
      .step('c', mail)
      .forEach(
        'd',
        () => [],
        count,
        () => ({}),
      )
      .repeat('e', inner, undefined, { until: () => true, max: 2 })
      .step('f', actionRef('far'))
    expect(w.actions).toEqual([mail, count])
    expect(w.workflows).toEqual([inner])
  })

  test('takes 10,000 steps, and no more', () => {
    let w = workflow('w') as unknown as Loose
    const started = performance.now()
    for (let i = 0; i < 10_000; i++) w = w.value(`s${i}`, ({ s0 }) => s0 ?? i)
    expect(() => w.value('more', () => 1)).toThrow('step "more": a workflow has at most 10000 steps')
    expect(compileGraph(w.graph).order).toHaveLength(10_000)
    const results = scope({}, { s0: 'first' })
    for (const [key, { input }] of w.logic.steps) if (key !== 's0') expect(input?.(results, undefined)).toBe('first')
    // a check of each step against all before it would take minutes
    expect(performance.now() - started).toBeLessThan(10_000)
  })
})

/** A builder whose steps have no types, so that a loop can declare them. */
interface Loose extends Workflow {
  value(key: string, compute: (scope: Record<string, unknown>) => unknown, options?: object): Loose
  step(key: string, target: unknown, input?: unknown, options?: object): Loose
}

describe('what makes no sense is refused', () => {
  const base = workflow('w').step('a', mail).step('b', mail) as unknown as Record<
    'step' | 'value' | 'sleep' | 'sleepUntil' | 'signal' | 'approval' | 'forEach' | 'repeat' | 'result',
    (...args: unknown[]) => Workflow
  >
  const until = () => true

  test.each(['', 'W', 'a b', '-a', 'a'.repeat(101), '__proto__', 7])('name %j', (name) => {
    expect(() => workflow(name as string)).toThrow(TypeError)
    expect(() => workflow(name as string)).toThrow(`workflow ${JSON.stringify(name)}: a name is 1 to 100`)
    expect(() => actionRef(name as string)).toThrow(`action ${JSON.stringify(name)}: a name is 1 to 100`)
    expect(() => workflowRef(name as string)).toThrow(`workflow ${JSON.stringify(name)}: a name is 1 to 100`)
  })

  test.each([
    ['version', { version: 7 }],
    ['description', { description: null }],
    ['onError', { onError: 'ignore' }],
    ['params', { params: {} }],
    ['previous', { previous: [workflow('other')] }],
    ['previous', { previous: [mail] }],
    ...[0, -1, 0.5, '5', 1e12].map((deadlineMs): [string, object] => ['deadlineMs', { deadlineMs }]),
  ])('%s of a workflow: %o', (member, options) => {
    expect(() => workflow('w', options as object)).toThrow(TypeError)
    expect(() => workflow('w', options as object)).toThrow(`workflow "w": ${member} `)
  })

  test.each(['', '1a', 'a b', 'ä', 'a\n', 'a.b', 'a'.repeat(101), undefined])('key %j', (key) => {
    expect(() => base.value(key, run)).toThrow(TypeError)
    expect(() => base.value(key, run)).toThrow(`workflow "w", step ${JSON.stringify(key)}: a key is 1 to 100`)
  })

  test.each(['params', 'then', 'toJSON', '__proto__', 'constructor', 'prototype'])('key %s', (key) => {
    expect(() => base.value(key, run)).toThrow(`workflow "w", step "${key}": no step can be called ${key}`)
  })

  test('a key that is taken', () => {
    expect(() => base.value('a', run)).toThrow('workflow "w", step "a": it is declared already')
  })

  test.each<[string, object]>([
    ['after must be a list', { after: 'a' }],
    ['after names "z", which is no step declared before', { after: ['a', 'z'] }],
    ['after names "c", which is no step declared before', { after: ['c'] }],
    ['after names a step twice', { after: ['a', 'a'] }],
    ['cancels names "c", which is no step declared before', { cancels: ['c'] }],
    ['join is 0 of 2', { after: ['a', 'b'], join: 0 }],
    ['join is 3 of 2', { after: ['a', 'b'], join: 3 }],
    ['join is 1.5 of 2', { after: ['a', 'b'], join: 1.5 }],
    ['join is "some" of 1', { join: 'some' }],
    ['join is "any" of 0', { after: [], join: 'any' }],
    ['others is "stop"', { others: 'stop' }],
    ['others belongs to a join of any', { others: 'cancel' }],
    ['onSkipped is "no"', { onSkipped: 'no' }],
    ['onError is "ignore"', { onError: 'ignore' }],
    ['when must be a function', { when: true }],
    ['timeoutMs is 0', { timeoutMs: 0 }],
    ['timeoutMs is 2147483648', { timeoutMs: 2_147_483_648 }],
    ['effect is "transactional"', { effect: 'transactional' }],
    ['idempotencyKey must be a function', { idempotencyKey: 'k' }],
    ['limit.key must be text or a function', { limit: { max: 1 } }],
    ['limit.max is missing', { limit: { key: 'k' } }],
    ['limit.max is 0', { limit: { key: 'k', max: 0 } }],
    ['limit.scope is "here"', { limit: { key: 'k', max: 1, scope: 'here' } }],
  ])('%s', (problem, options) => {
    expect(() => base.step('c', mail, undefined, options)).toThrow(TypeError)
    expect(() => base.step('c', mail, undefined, options)).toThrow(`workflow "w", step "c": ${problem}`)
  })

  test.each<[string, () => unknown]>([
    ['it executes what action()', () => base.step('c', run)],
    ['it executes what action()', () => base.step('c', undefined)],
    ['the mapper must be a function', () => base.step('c', mail, {})],
    ['effect belongs to actions only', () => base.step('c', workflowRef('w'), run, { effect: 'unsafe' })],
    ['idempotencyKey belongs to actions only', () => base.step('c', workflow('x'), run, { idempotencyKey: run })],
    ['timeoutMs is 0', () => base.step('c', workflow('x'), run, { timeoutMs: 0 })],
    ['what computes the value must be a function', () => base.value('c', 1)],
    ['the time is -1', () => base.sleep('c', -1)],
    ['the time is 1000000000000', () => base.sleep('c', 1e12)],
    ['the time is null', () => base.sleep('c')],
    ['what computes the moment must be a function', () => base.sleepUntil('c', '2030-01-01')],
    ['signal must be text', () => base.signal('c', { signal: '' })],
    ['signal contains a NUL', () => base.signal('c', { signal: 'a\0' })],
    ['payload must be a Standard Schema', () => base.signal('c', { payload: {} })],
    ['deadlineMs is 0', () => base.signal('c', { deadlineMs: 0 })],
    ['fallback stands in after a deadline', () => base.signal('c', { fallback: null })],
    ['fallback is no JSON', () => base.signal('c', { deadlineMs: 1, fallback: 1n })],
    ['fallback.a contains a NUL', () => base.signal('c', { deadlineMs: 1, fallback: { a: '\0' } })],
    ['fallback must be { approved', () => base.approval('c', { deadlineMs: 1, fallback: true })],
    ['fallback.approved must be', () => base.approval('c', { deadlineMs: 1, fallback: {} })],
    ['fallback.comment must be', () => base.approval('c', { deadlineMs: 1, fallback: { approved: true, comment: 1 } })],
    ['approvers must be', () => base.approval('c', { approvers: [] })],
    ['approvers must be', () => base.approval('c', { approvers: 'boss' })],
    ['what makes the items must be', () => base.forEach('c', [1], mail, run)],
    ['concurrency is 0', () => base.forEach('c', run, mail, run, { concurrency: 0 })],
    ['need is 0', () => base.forEach('c', run, mail, run, { need: 0 })],
    ['until must be a function', () => base.forEach('c', run, mail, run, { until: 2 })],
    ['need and until both say', () => base.forEach('c', run, mail, run, { need: 1, until })],
    ['rest is "stop"', () => base.forEach('c', run, mail, run, { need: 1, rest: 'stop' })],
    ['rest is what need and until leave', () => base.forEach('c', run, mail, run, { rest: 'cancel' })],
    ['signal must be text', () => base.forEach('c', run, mail, run, { more: '' })],
    ['payload is what more brings', () => base.forEach('c', run, mail, run, { payload: z.string() })],
    ['completes names "z"', () => base.step('c', mail, run, { completes: ['z'] })],
    ['completes names "b", which is no forEach', () => base.step('c', mail, run, { completes: ['b'] })],
    ['transient is "yes"', () => base.signal('c', { transient: 'yes' })],
    ['until must be a function', () => base.repeat('c', mail, run, { max: 1 })],
    ['until must be a function', () => base.repeat('c', mail, run)],
    ['max is missing', () => base.repeat('c', mail, run, { until })],
    ['max is 10001', () => base.repeat('c', mail, run, { until, max: 10_001 })],
  ])('%s', (problem, declare) => {
    expect(declare).toThrow(TypeError)
    expect(declare).toThrow(`workflow "w", step "c": ${problem}`)
  })

  test('a result that is no function', () => {
    expect(() => base.result({})).toThrow('workflow "w": what computes the result must be a function')
  })

  test('retries that make no sense, as an action refuses them', () => {
    const declare = () => base.step('c', mail, undefined, { retry: { maxAttempts: 0 } })
    expect(declare).toThrow(RangeError)
    expect(declare).toThrow('workflow "w", step "c": retry.maxAttempts is 0')
  })

  test('another effect for a handler that needs its transaction', () => {
    const write = action('write', { effect: 'transactional', run })
    expect(() => base.step('c', write, undefined, { effect: 'idempotent' })).toThrow(
      'workflow "w", step "c": effect is idempotent, but the handler of write is transactional',
    )
  })
})

describe('the functions', () => {
  const w = workflow('w')
    .value('a', () => 1)
    .value('b', ({ a }) => a + 1, { after: ['a'] })
    .value('c', ({ params }) => params, { after: ['a'] })
    .value('d', ({ a, c }) => [a, c], { after: ['c'] })

  test('see the params and the results before', () => {
    const run = scope('given', { a: 5, b: 6, c: 7, d: 8 })
    expect(logicOf(w, 'b').input?.(run, undefined)).toBe(6)
    expect(logicOf(w, 'c').input?.(run, undefined)).toBe('given')
    expect(logicOf(w, 'd').input?.(run, undefined)).toEqual([5, 7])
  })

  const look = (at: (scope: Record<string | symbol, unknown>) => unknown) => {
    const looking = w.value('e', at as () => unknown, { after: ['b', 'c'] })
    const results: Record<string, unknown> = { a: 5, b: 6, c: undefined, d: 8 }
    return logicOf(looking, 'e').input?.(scope('given', results), undefined)
  }

  test('see nothing else', () => {
    expect(() => look(({ d }) => d)).toThrow(new TypeError('step "d" is not before "e"'))
    expect(() => look(({ e }) => e)).toThrow(new TypeError('step "e" is not before "e"'))
    expect(() => look(({ z }) => z)).toThrow(new TypeError('there is no step "z"'))
    expect(() => look((s) => Reflect.get(s, 'toString'))).toThrow(new TypeError('there is no step "toString"'))
    expect(() => look((s) => Reflect.get(s, '__proto__'))).toThrow(new TypeError('there is no step "__proto__"'))
  })

  test('can list, spread and test what they see', () => {
    expect(look((s) => Object.keys(s).sort())).toEqual(['a', 'b', 'c', 'params'])
    expect(look(({ params, ...rest }) => rest)).toEqual({ a: 5, b: 6, c: undefined })
    expect(look((s) => ({ ...s }))).toEqual({ params: 'given', a: 5, b: 6, c: undefined })
    expect(look((s) => ['params' in s, 'a' in s, 'd' in s, 'toString' in s])).toEqual([true, true, false, false])
    expect(look((s) => JSON.stringify(s))).toBe('{"params":"given","b":6,"a":5}')
    expect(look((s) => [s.then, s[Symbol.iterator], Object.getPrototypeOf(s)])).toEqual([undefined, undefined, null])
  })

  test('cannot change it', () => {
    for (const change of [
      (s: Record<string, unknown>) => (s.a = 1),
      (s: Record<string, unknown>) => delete s.a,
      (s: object) => Object.defineProperty(s, 'z', { value: 1 }),
      (s: object) => Object.freeze(s),
      (s: object) => Object.setPrototypeOf(s, Object.prototype),
    ])
      expect(() => look(change)).toThrow(TypeError)
  })

  test('load a result only when it is read, and let through that it is not there yet', () => {
    const missing = new Error('not loaded')
    const asked: string[] = []
    const result = (key: string) => {
      asked.push(key)
      throw missing
    }
    expect(() => logicOf(w, 'd').input?.({ params: {}, result }, undefined)).toThrow(missing)
    expect(asked).toEqual(['a'])
    expect(look((s) => Object.keys(s).length)).toBe(4)
    const keys = w.value('e', (s) => Object.keys(s).length, { after: ['d'] })
    expect(logicOf(keys, 'e').input?.({ params: {}, result }, undefined)).toBe(4)
  })

  test('are absent where there are none', () => {
    const bare = workflow('w').step('a', mail).signal('b').approval('c')
    for (const key of ['a', 'b', 'c']) expect(logicOf(bare, key)).toEqual({})
    expect(bare.logic.result).toBeUndefined()
  })

  test('of a step get the scope', () => {
    const full = w.step('e', mail, ({ d }) => ({ to: d }), {
      when: ({ params }) => params === 'yes',
      idempotencyKey: ({ d }) => `key-${d}`,
      limit: { key: ({ d }) => `limit-${d}`, max: 1 },
    })
    const { when, input, key, limitKey } = logicOf(full, 'e')
    const run = scope('yes', { d: 4 })
    expect([when?.(run), input?.(run, undefined)]).toEqual([true, { to: 4 }])
    expect([key?.(run, undefined), limitKey?.(run, undefined)]).toEqual(['key-4', 'limit-4'])
    const fixed = w.step('e', mail, undefined, { limit: { key: 'l', max: 1, scope: 'run' } })
    expect(logicOf(fixed, 'e').limitKey?.(run, undefined)).toBe('l')
  })

  test('of a forEach get the item and its index besides', () => {
    const each = w.forEach(
      'e',
      ({ d }) => d,
      mail,
      ({ params }, item, index) => [params, item, index],
      { idempotencyKey: (_, item, index) => `${item}${index}`, limit: { key: (_, item) => `${item}`, max: 1 } },
    )
    const { items, input, key, limitKey } = logicOf(each, 'e')
    const run = scope('p', { d: [7, 8] })
    const second = { item: 8, index: 1 }
    expect(items?.(run)).toEqual([7, 8])
    expect([input?.(run, second), key?.(run, second), limitKey?.(run, second)]).toEqual([['p', 8, 1], '81', '8'])
  })

  test('of a repeat get the iteration', () => {
    const loop = w.repeat('e', count, ({ params }, iteration) => [params, iteration], {
      until: ({ params }, { index, result }) => params === 'p' && index === 2 && result === 9,
      max: 5,
      idempotencyKey: (_, { index }) => `${index}`,
    })
    const { input, until, key } = logicOf(loop, 'e')
    expect(input?.(scope('p'), { item: 9, index: 2 })).toEqual(['p', { index: 2, previous: 9 }])
    expect(until?.(scope('p'), { item: 9, index: 2 })).toBe(true)
    expect(key?.(scope('p'), { item: 9, index: 2 })).toBe('2')
  })

  test('of sleeps give milliseconds or a moment', () => {
    const sleeps = w
      .sleep('e', 5)
      .sleep('f', ({ params }) => Number(params))
      .sleepUntil('g', () => new Date(0))
    const inputs = ['e', 'f', 'g'].map((key) => logicOf(sleeps, key).input?.(scope('7'), undefined))
    expect(inputs).toEqual([5, 7, new Date(0)])
  })

  test('of the result see every step', () => {
    const { logic } = w.result(({ params, a, b, d }) => [params, a, b, d])
    expect(logic.result?.(scope('p', { a: 1, b: 2, d: undefined }))).toEqual(['p', 1, 2, undefined])
    const all = w.result((s) => ({ ...s }))
    expect(all.logic.result?.(scope('p'))).toEqual({
      params: 'p',
      a: undefined,
      b: undefined,
      c: undefined,
      d: undefined,
    })
    const wrong = w.result((s) => (s as unknown as { z: unknown }).z)
    expect(() => wrong.logic.result?.(scope('p'))).toThrow(new TypeError('there is no step "z"'))
  })

  test('return no promise; a rejected one ends nothing', () => {
    const late = workflow('w').value('a', (async () => {
      throw new Error('late')
    }) as () => unknown)
    expect(() => logicOf(late, 'a').input?.(scope({}), undefined)).toThrow(
      new TypeError(
        'workflow "w", step "a": the functions of a workflow are synchronous, and this one returned a promise',
      ),
    )
  })
})

describe('checks', () => {
  test('params against the schema, which fills them in', async () => {
    const { logic } = workflow('w', { params: z.object({ n: z.number().default(3) }) })
    expect(await logic.checkParams({})).toEqual({ ok: true, value: { n: 3 } })
    expect(await logic.checkParams({ n: '3' })).toMatchObject({ ok: false, issues: [{ path: 'n' }] })
  })

  test('no params where there is no schema', async () => {
    expect(await workflow('w').logic.checkParams('any')).toEqual({ ok: true, value: 'any' })
  })

  test.each([
    ['a signal', workflow('w').signal('a', { payload: lateNumberSchema })],
    ['an approval', workflow('w').approval('a', { payload: lateNumberSchema })],
  ])('the payload of %s', async (_, waiting) => {
    const { checkPayload } = logicOf(waiting, 'a')
    expect(await checkPayload?.('7')).toEqual({ ok: true, value: 7 })
    expect(await checkPayload?.('x')).toMatchObject({ ok: false })
  })
})
