// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the format's own
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Budget } from '../../../src/core/definition/budget.ts'
import { ExpressionError } from '../../../src/core/definition/definition-error.ts'
import { compileExpression } from '../../../src/core/definition/expression.ts'
import { jsonIssues } from '../../../src/core/json.ts'
import { onboarding } from './examples.ts'
import { mistakes, withSteps } from './support.ts'

const names = [...new Set(onboarding.steps.flatMap((step) => Object.keys(step)))]

test('whatever a member of a step holds, the definition is accepted or its mistakes are named', () => {
  const anything = fc.oneof(
    fc.jsonValue(),
    fc.string().map((text) => `\${${text}}`),
    fc.constantFrom('user', '${user}', 1),
  )
  fc.assert(
    fc.property(fc.constantFrom(...onboarding.steps), fc.constantFrom(...names), anything, (step, name, value) => {
      const found = mistakes(
        withSteps({ key: 'user', value: 1 }, { ...step, key: 'it', after: ['user'], [name]: value }),
      )
      for (const { path, message } of found) {
        expect(path).toMatch(/^steps/)
        expect(message).not.toBe('')
      }
    }),
    { numRuns: 2_000 },
  )
})

test('whatever an expression is made of, it gives plain JSON or says why not', () => {
  const token = fc.constantFrom(
    ...['params', 'user', '.', '.id', '.list', '[', ']', '[0]', '(', ')', '{', '}', '+', '-', '*', '/', '%', '==', '<'],
    ...['&&', '||', '!', '?', ':', ',', 'in', 'null', 'true', '1', '0.5', '"a"', 'x', 'size(', 'string(', 'has('],
    ...[
      '.map(x,',
      '.filter(x,',
      '.all(x,',
      '.size()',
      '.join(",")',
      'timestamp("2027-01-01T00:00:00Z")',
      'duration("1h")',
    ],
  )
  const place = { own: new Set(['params']), steps: new Set(['user']) }
  const values = new Map<string, unknown>([
    ['params', { id: 1, list: [1, 'a', null] }],
    ['user', null],
  ])
  const outcomes = { refused: 0, failed: 0, given: 0 }
  fc.assert(
    fc.property(fc.array(token, { minLength: 1, maxLength: 9 }), (tokens) => {
      const compiled = compileExpression(tokens.join(''), place, 'p')
      if ('problems' in compiled) {
        expect(compiled.problems.length).toBeGreaterThan(0)
        outcomes.refused++
        return
      }
      try {
        expect(jsonIssues(compiled.expression.evaluate(values, new Budget()))).toEqual([])
        outcomes.given++
      } catch (error) {
        expect(error).toBeInstanceOf(ExpressionError)
        outcomes.failed++
      }
    }),
    { numRuns: 20_000 },
  )
  // that it tries more than what is refused at once
  expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(20)
})
