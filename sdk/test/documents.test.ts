import { readFileSync } from 'node:fs'
import { buildSchema, parse, validate } from 'graphql'
import { describe, expect, it } from 'vitest'
import * as documents from '../src/documents.ts'
import { CONTRACT } from './support/contract.ts'

const contract = buildSchema(CONTRACT)
const server = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'))
const texts = Object.entries(documents).map(([name, value]) => [
  name,
  typeof value === 'string' ? value : value.document,
])

describe('the documents', () => {
  it.each(texts)('%s is valid, whatever errors its union has', (_, text) => {
    expect(validate(contract, parse(text!))).toEqual([])
  })

  it.each(texts)('%s is what the server of this repository understands', (_, text) => {
    expect(validate(server, parse(text!))).toEqual([])
  })
})
