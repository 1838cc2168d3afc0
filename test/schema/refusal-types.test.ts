import { isObjectType } from 'graphql'
import { expect, test } from 'vitest'
import { ERROR_CODES, RequestError } from '../../src/core/request-errors.ts'
import { Refusal, refusalType } from '../../src/schema/errors.ts'
import { schema } from '../../src/schema/index.ts'

test('the refusal of every code is an object type of its own that implements Error', () => {
  const types = ERROR_CODES.map((code) => {
    class Refused extends RequestError {
      readonly code = code
    }
    return refusalType(new Refusal(new Refused()))
  })
  expect(new Set(types).size).toBe(ERROR_CODES.length)
  for (const name of types) {
    const type = schema.getType(name)
    expect(isObjectType(type) && type.getInterfaces().map((one) => one.name)).toEqual(['Error'])
  }
})
