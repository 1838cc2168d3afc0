// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the format's own
import { describe, expect, test } from 'vitest'
import { logicOf } from '../../../src/core/definition/logic.ts'
import type { Scope } from '../../../src/core/workflow/logic.ts'
import { onboarding } from './examples.ts'
import { accept, at, logic, scopeOf, stepLogic, withSteps } from './support.ts'

const scope = scopeOf({ n: 1, plan: 'pro', id: 7, delay: 5, at: '2027-01-01T00:00:00Z' })

describe('logicOf', () => {
  test('has the logic of every step, and the result', () => {
    const { steps, result } = logic(onboarding)
    expect([...steps.keys()]).toEqual(onboarding.steps.map(({ key }) => key))
    const results = scopeOf({}, { user: { id: 7 }, 'sub-flow': undefined })
    expect(result?.(results)).toEqual({ id: 7, flow: null })
  })

  test('without a result there is none', () => {
    expect(logic(withSteps({ key: 'a', value: 1 })).result).toBeUndefined()
  })

  test('does not ask again whether what is called is registered here', () => {
    const graph = accept(withSteps({ key: 'a', action: 'do' }))
    expect(() => logicOf({ ...graph, definition: withSteps({ key: 'a', action: 'unknown' }) })).not.toThrow()
  })

  test('a graph without a definition, or with a broken one, is a fault', () => {
    const graph = accept(withSteps({ key: 'a', value: 1 }))
    expect(() => logicOf({ ...graph, definition: undefined })).toThrow('not given as data')
    expect(() => logicOf({ ...graph, definition: { name: 'w' } })).toThrow('cannot be compiled')
  })
})

describe('the scope', () => {
  test('is asked for exactly the steps that the expressions name, before any is evaluated', () => {
    const asked: string[] = []
    const spy: Scope = {
      params: { yes: true },
      result(step) {
        asked.push(step)
        return { id: step }
      },
    }
    const { input } = stepLogic({ value: ['${params.yes ? a.id : b.id}', '${steps["c-c"].id}'] }, [
      'a',
      'b',
      'c-c',
      'd',
    ])
    expect(input?.(spy, undefined)).toEqual(['a', 'c-c'])
    expect(asked.sort()).toEqual(['a', 'b', 'c-c'])
  })

  test('may throw to say that something is not loaded: that passes through, wherever it is named', () => {
    const notLoaded = new Error('not loaded')
    const throwing: Scope = {
      params: {},
      result() {
        throw notLoaded
      },
    }
    for (const source of ['a', 'true || a.x', '[1].all(x, a == x)', 'has(a.b)'])
      expect(() => stepLogic({ value: `\${${source}}` }, ['a']).input?.(throwing, undefined)).toThrow(notLoaded)
    expect(() => stepLogic({ action: 'do', when: 'a' }, ['a']).when?.(throwing)).toThrow(notLoaded)
  })

  test('a step that was skipped is null, one that failed on the way is { result, error }', () => {
    const { input } = stepLogic({ value: '${[a == null, b.error.code]}' }, ['a', 'b'])
    expect(input?.(scopeOf({}, { a: undefined, b: { result: null, error: { code: 'X' } } }), undefined)).toEqual([
      true,
      'X',
    ])
  })

  test('nothing is kept between two evaluations', () => {
    const { input } = stepLogic({ value: '${a}' }, ['a'])
    expect([1, 2].map((a) => input?.(scopeOf({}, { a }), undefined))).toEqual([1, 2])
  })
})

describe('the members of a step', () => {
  test.each(['params.n == 1', '${params.n == 1}', '${ {"a": params.n}.a == 1 }'])('when: %s', (when) => {
    expect(stepLogic({ action: 'do', when }).when?.(scope)).toBe(true)
  })

  test('a condition that is neither true nor false fails', () => {
    expect(() => stepLogic({ action: 'do', when: 'params.n' }).when?.(scope)).toThrow('neither true nor false')
  })

  test('params, a key and a limit of each element', () => {
    const step = stepLogic({
      action: 'do',
      forEach: '${[params.n, 2]}',
      params: { a: '${item.id}', b: '${index}' },
      idempotencyKey: 'k-${item.id}',
      limit: { key: '${item.tenant}', max: 1 },
    })
    const third = at(2, { id: 9, tenant: 't' })
    expect(step.items?.(scope)).toEqual([1, 2])
    expect(step.input?.(scope, third)).toEqual({ a: 9, b: 2 })
    expect(step.key?.(scope, third)).toBe('k-9')
    expect(step.limitKey?.(scope, third)).toBe('t')
  })

  test('a loop sees the iteration before, null at first, and ends by its result', () => {
    const step = stepLogic({ action: 'do', repeat: { until: 'result.n > 1', max: 3 }, params: '${ {"p": previous} }' })
    expect(step.input?.(scope, at(0, undefined))).toEqual({ p: null })
    expect(step.input?.(scope, at(1, 5))).toEqual({ p: 5 })
    expect(step.until?.(scope, at(1, { n: 2 }))).toBe(true)
    expect(step.until?.(scope, at(1, { n: 1 }))).toBe(false)
  })

  test('a list ends by its results so far, and checks what is added', () => {
    const list = {
      action: 'do',
      forEach: [1],
      until: 'size(result) > index',
      more: 'add',
      payloadSchema: { type: 'null' },
    }
    const step = stepLogic(list)
    expect(step.until?.(scope, at(2, ['a', 'b']))).toBe(false)
    expect(step.until?.(scope, at(1, ['a', 'b']))).toBe(true)
    expect(step.checkPayload?.(null)).toEqual({ ok: true, value: null })
    expect(step.checkPayload?.(1)).toMatchObject({ ok: false })
  })

  test('sleeping for a time or until a moment', () => {
    expect(stepLogic({ sleep: 5 }).input?.(scope, undefined)).toBe(5)
    expect(stepLogic({ sleep: '${params.delay * 2}' }).input?.(scope, undefined)).toBe(10)
    expect(stepLogic({ sleepUntil: '${params.at}' }).input?.(scope, undefined)).toBe('2027-01-01T00:00:00Z')
    const later = '${timestamp(params.at) + duration("1h")}'
    expect(stepLogic({ sleepUntil: later }).input?.(scope, undefined)).toBe('2027-01-01T01:00:00.000Z')
    expect(() => stepLogic({ sleep: '${params.at}' }).input?.(scope, undefined)).toThrow('must be a number')
    expect(() => stepLogic({ sleepUntil: '${params.delay}' }).input?.(scope, undefined)).toThrow('a moment')
  })

  test('a step without params, condition and key has no logic for them', () => {
    expect(stepLogic({ action: 'do' })).toEqual({})
  })

  test('a payload is checked by its schema, and without one not at all', () => {
    const { checkPayload } = stepLogic({ signal: 's', payloadSchema: { required: ['a'] } })
    expect(checkPayload?.({ a: 1 })).toEqual({ ok: true, value: { a: 1 } })
    expect(checkPayload?.({})).toEqual({ ok: false, issues: [{ path: 'a', message: 'is missing' }] })
    expect(stepLogic({ signal: 's' }).checkPayload).toBeUndefined()
  })
})

describe('the params of a run', () => {
  test('are checked by the schema, which fills in its defaults', () => {
    const { checkParams } = logic(onboarding)
    expect(checkParams({ email: 'a@b.c' })).toEqual({ ok: true, value: { email: 'a@b.c', plan: 'free' } })
    expect(checkParams({ email: 'nobody' })).toMatchObject({ ok: false, issues: [{ path: 'email' }] })
  })

  test('without a schema may be anything', () => {
    const { checkParams } = logic(withSteps({ key: 'a', value: 1 }))
    expect(checkParams([1])).toEqual({ ok: true, value: [1] })
  })
})
