import { buildSchema, parse, validate } from 'graphql'
import { describe, expect, it } from 'vitest'
import * as documents from '../src/documents.ts'
import { CONTRACT } from './support/contract.ts'

const schema = buildSchema(CONTRACT)
const texts = Object.entries(documents).map(([name, value]) => [
  name,
  typeof value === 'string' ? value : value.document,
])

describe('the documents', () => {
  it.each(texts)('%s is valid, whatever errors its union has', (_, text) => {
    expect(validate(schema, parse(text!))).toEqual([])
  })
})
