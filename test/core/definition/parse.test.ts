// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the format's own
import { describe, expect, test } from 'vitest'
import { InvalidDefinitionError } from '../../../src/core/definition/definition-error.ts'
import { parseDefinition } from '../../../src/core/definition/parse.ts'
import { RequestError } from '../../../src/core/request-errors.ts'
import { compileGraph } from '../../../src/core/workflow/graph.ts'
import { MALFORMED_HEADS, MALFORMED_STEPS, onboarding } from './examples.ts'
import { accept, known, mistakes, withSteps } from './support.ts'

describe('a definition that is accepted', () => {
  const graph = accept(onboarding)
  const steps = compileGraph(graph).steps

  test('keeps what it was made from', () => {
    expect(graph.definition).toBe(onboarding)
    expect(graph).toMatchObject({ name: 'onboard-user', version: '3', onError: 'fail', deadlineMs: 86_400_000 })
  })

  test('ignores the $schema that editors go by', () => {
    const plain = withSteps({ key: 'a', value: 1 })
    const named = accept({ $schema: 'https://example.test/workflow.json', ...plain })
    expect(named).toEqual(accept(plain))
    expect(compileGraph(named).hash).toBe(compileGraph(accept(plain)).hash)
    expect(mistakes({ $schema: 5, ...plain })).toEqual([{ path: '$schema', message: expect.stringContaining('is 5') }])
  })

  test('without a version and onError it is version 1 and fails', () => {
    const { version, onError } = accept(withSteps({ key: 'a', value: 1 }))
    expect({ version, onError }).toEqual({ version: '1', onError: 'fail' })
  })

  test('a step that calls an action has all that was said of it', () => {
    expect(steps.get('resources')).toEqual({
      key: 'resources',
      work: { kind: 'action', name: 'provision' },
      after: ['user'],
      join: { need: 'all', others: 'finish' },
      conditional: true,
      onSkipped: 'skip',
      onError: 'continue',
      cancels: [],
      keyed: true,
      limit: { max: 1, scope: 'everywhere' },
      retry: { maxAttempts: 5, backoff: { initialMs: 100, factor: 2, maxMs: 1000, jitter: false }, deadlineMs: 5000 },
      timeoutMs: 1000,
      effect: 'idempotent',
    })
  })

  test('a step that says nothing has the defaults', () => {
    expect(accept(withSteps({ key: 'a', action: 'do' })).steps).toEqual([
      {
        key: 'a',
        work: { kind: 'action', name: 'do' },
        after: [],
        join: { need: 'all', others: 'finish' },
        conditional: false,
        onSkipped: 'skip',
        cancels: [],
        keyed: false,
      },
    ])
  })

  test('a join of any needs one', () => {
    expect(steps.get('route')).toMatchObject({
      work: { kind: 'value' },
      join: { need: 1, others: 'cancel' },
      onSkipped: 'run',
      cancels: ['sub-flow'],
    })
  })

  test('the kinds of waiting', () => {
    expect(steps.get('pause')?.work).toEqual({ kind: 'sleep' })
    expect(steps.get('morning')?.work).toEqual({ kind: 'sleep' })
    expect(steps.get('bell')?.work).toEqual({ kind: 'signal', name: 'bell', transient: true })
    expect(steps.get('paid')?.work).toEqual({
      kind: 'signal',
      name: 'paid',
      deadlineMs: 1000,
      fallback: { payload: { amount: 0 } },
    })
    expect(steps.get('review')?.work).toEqual({
      kind: 'signal',
      name: 'review',
      deadlineMs: 1,
      fallback: { payload: { approved: false, by: null, comment: 'late', payload: null } },
      approval: { approvers: ['ops'] },
    })
    const [anybody] = accept(withSteps({ key: 'a', approval: 'go' })).steps
    expect(anybody?.work).toEqual({ kind: 'signal', name: 'go', approval: { approvers: null } })
  })

  test('lists and loops', () => {
    expect(steps.get('mails')?.each).toEqual({ concurrency: 5 })
    expect(steps.get('votes')?.each).toEqual({
      concurrency: null,
      enough: { need: 'until', rest: 'cancel' },
      more: 'vote',
    })
    expect(steps.get('quotes')?.each).toEqual({ concurrency: null, enough: { need: 2, rest: 'finish' } })
    expect(steps.get('enough')?.completes).toEqual(['votes', 'quotes'])
    expect(steps.get('stop')?.cancels).toEqual(['*'])
    expect(steps.get('poll')?.repeat).toEqual({ max: 10 })
    expect(accept(withSteps({ key: 'a', action: 'do', forEach: [1, 2] })).steps[0]?.each).toEqual({ concurrency: null })
  })

  test('without `after` a step follows the one declared before it, with [] none', () => {
    const { steps } = accept(
      withSteps(
        { key: 'a', value: 1 },
        { key: 'b', value: 1 },
        { key: 'c', value: 1, after: [] },
        { key: 'd', value: 1 },
      ),
    )
    expect(steps.map(({ after }) => after)).toEqual([[], ['a'], [], ['c']])
  })

  test('`after` may name a step that is declared later', () => {
    const { steps } = accept(withSteps({ key: 'a', value: '${b}', after: ['b'] }, { key: 'b', value: 1, after: [] }))
    expect(steps[0]?.after).toEqual(['b'])
  })
})

describe('every mistake is named with its path', () => {
  test.each(MALFORMED_STEPS)('in a step, at %j: %j', (path, step) => {
    const found = mistakes(withSteps({ key: 'user', value: 1 }, step))
    expect(found.map((issue) => issue.path)).toContain(path === '' ? 'steps.1' : `steps.1.${path}`)
  })

  test.each(MALFORMED_HEADS)('in the head, at %j: %j', (path, head) => {
    const definition = JSON.parse(JSON.stringify({ ...withSteps({ key: 'a', value: 1 }), ...head }))
    expect(mistakes(definition)[0]?.path).toBe(path)
  })

  test.each([
    ['steps.0.action', 'registered', withSteps({ key: 'a', action: 'unknown' })],
    ['steps.0.workflow', 'registered', withSteps({ key: 'a', workflow: 'unknown' })],
    ['steps.1.key', 'already', withSteps({ key: 'a', value: 1 }, { key: 'a', value: 2 })],
    ['steps.0.after.0', 'no step', withSteps({ key: 'a', value: 1, after: ['b'] })],
    ['steps.0.cancels.0', 'no step', withSteps({ key: 'a', value: 1, cancels: ['b'] })],
    ['steps.0.cancels.0', 'itself', withSteps({ key: 'a', value: 1, cancels: ['a'] })],
    ['steps.1.completes.0', 'no forEach', withSteps({ key: 'a', value: 1 }, { key: 'b', value: 1, completes: ['a'] })],
    ['steps.0.completes.0', 'no step', withSteps({ key: 'a', value: 1, completes: ['*'] })],
    ['steps.1.join', '1 to 1', withSteps({ key: 'a', value: 1 }, { key: 'b', value: 1, join: 2 })],
    ['steps.0.join', '1 to 0', withSteps({ key: 'a', value: 1, join: 'any' })],
    ['steps.0.effect', 'only its code', withSteps({ key: 'a', action: 'do', effect: 'transactional' })],
    ['steps.0.effect', 'only its code', withSteps({ key: 'a', action: 'book', effect: 'unsafe' })],
    ['steps.0.value', 'never closed', withSteps({ key: 'a', value: 'Hi ${params.name' })],
    [
      'steps.0.payloadSchema.pattern',
      'for ever',
      withSteps({ key: 'a', signal: 's', payloadSchema: { pattern: '.' } }),
    ],
    [
      'steps.0.fallback.n',
      'of type number',
      withSteps({
        key: 'a',
        signal: 's',
        deadlineMs: 1,
        payloadSchema: { properties: { n: { type: 'number' } } },
        fallback: { n: 'x' },
      }),
    ],
    ['', 'an object', null],
    ['', 'an object', [1]],
    ['', 'an object', 'text'],
    ['steps.0.value', 'NUL', withSteps({ key: 'a', value: '\u0000' })],
    ['steps.0.value', 'surrogate', withSteps({ key: 'a', value: '\ud800' })],
    ['steps.0.value', 'Date', withSteps({ key: 'a', value: new Date(0) })],
  ])('at %j: %s', (path, message, definition) => {
    const [issue] = mistakes(definition)
    expect(issue?.path).toBe(path)
    expect(issue?.message).toContain(message)
  })

  test('an own member __proto__ is unknown like any other', () => {
    const step = JSON.parse('{"key":"a","value":1,"__proto__":{"action":"do"}}')
    expect(mistakes(withSteps(step))[0]?.path).toBe('steps.0.__proto__')
  })

  test('a circle is named', () => {
    const found = mistakes(
      withSteps({ key: 'a', value: 1, after: ['c'] }, { key: 'b', value: 1 }, { key: 'c', value: 1 }),
    )
    expect(found).toHaveLength(1)
    expect(found[0]?.path).toMatch(/^steps\.\d\.after$/)
    expect(found[0]?.message).toMatch(/circle: (a → b → c → a|b → c → a → b|c → a → b → c)$/)
  })

  test('a step that waits for itself is a circle', () => {
    expect(mistakes(withSteps({ key: 'a', value: 1, after: ['a'] }))[0]?.message).toContain('a → a')
  })

  test('a circle of thousands of steps fits into a message', () => {
    const steps = Array.from({ length: 5_000 }, (_, i) => ({ key: `s${i}`, value: 1 }))
    const circle = [{ ...steps[0], after: ['s4999'] }, ...steps.slice(1)]
    expect(mistakes(withSteps(...circle))[0]?.message.length).toBeLessThan(300)
  })
})

describe('the error', () => {
  test('names the first mistake and says how many there are', () => {
    expect(() => parseDefinition({ name: 'w', steps: [{ key: 'a' }], extra: 1 }, known)).toThrow(
      /^The definition is not valid: extra is no member of a definition \(and 1 more\)$/,
    )
  })

  test('is a refusal that a caller can act on', () => {
    const error = new InvalidDefinitionError([{ path: 'name', message: 'is missing' }])
    expect(error).toBeInstanceOf(RequestError)
    expect(error.code).toBe('INVALID_DEFINITION')
    expect(error.message).toBe('The definition is not valid: name is missing')
  })

  test('has at most 20 mistakes', () => {
    const steps = Array.from({ length: 100 }, (_, i) => ({ key: `s${i}`, action: 'unknown' }))
    expect(mistakes(withSteps(...steps))).toHaveLength(20)
  })
})
