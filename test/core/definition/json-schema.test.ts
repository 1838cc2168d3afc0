import { Validator } from '@cfworker/json-schema'
import { describe, expect, test } from 'vitest'
import { DEFINITION_SCHEMA } from '../../../src/core/definition/json-schema.ts'
import { MALFORMED_HEADS, MALFORMED_STEPS, onboarding } from './examples.ts'
import { mistakes, withSteps } from './support.ts'

const validator = new Validator(JSON.parse(JSON.stringify(DEFINITION_SCHEMA)), '2020-12')
const user = { key: 'user', value: 1 }

/** What JSON has of a value. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

describe('the published schema agrees with what is accepted', () => {
  test.each([
    ['everything at once', onboarding],
    ['the least', withSteps(user)],
    ['the address of its schema', { $schema: './workflow.schema.json', ...withSteps(user) }],
    ['each step of the example alone', withSteps(...onboarding.steps.map((step) => ({ ...step })))],
    ['a join of a number', withSteps(user, { key: 'b', action: 'do', after: ['user'], join: 1 })],
    ['a list as it is', withSteps({ key: 'a', action: 'do', forEach: [1, 2] })],
    ['schemas that are true', { ...withSteps({ key: 'a', signal: 's', payloadSchema: true }), paramsSchema: true }],
  ])('on what is good: %s', (_name, definition) => {
    expect(mistakes(definition)).toEqual([])
    expect(validator.validate(definition).errors).toEqual([])
  })

  test.each(MALFORMED_STEPS)('on what is wrong in a step, at %j: %j', (_path, step) => {
    expect(mistakes(withSteps(user, step))).not.toEqual([])
    expect(validator.validate(plain(withSteps(user, step))).valid).toBe(false)
  })

  test.each(MALFORMED_HEADS)('on what is wrong in the head, at %j: %j', (_path, head) => {
    const definition = plain({ ...withSteps(user), ...head })
    expect(mistakes(definition)).not.toEqual([])
    expect(validator.validate(definition).valid).toBe(false)
  })

  test('every member is described', () => {
    const { properties } = DEFINITION_SCHEMA
    const all = [...Object.values(properties), ...Object.values(DEFINITION_SCHEMA.$defs.step.properties)]
    for (const each of all) expect(each.description).toMatch(/\S/)
  })
})
