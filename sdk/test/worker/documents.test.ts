import { readFileSync } from 'node:fs'
import { buildSchema, parse, validate } from 'graphql'
import { describe, expect, it } from 'vitest'
import * as documents from '../../src/worker/documents.ts'
import { WORKER_CONTRACT } from '../support/worker-contract.ts'

const contract = buildSchema(WORKER_CONTRACT)
const server = buildSchema(readFileSync(new URL('../../../schema.graphql', import.meta.url), 'utf8'))
const texts = Object.entries(documents)

describe('the documents of a worker', () => {
  it.each(texts)('%s is valid, whatever errors its union has', (_, text) => {
    expect(validate(contract, parse(text))).toEqual([])
  })

  // a server without remote workers has nothing to compare with
  it.skipIf(!server.getMutationType()?.getFields().registerWorker).each(texts)(
    '%s is what the server of this repository understands',
    (_, text) => {
      expect(validate(server, parse(text))).toEqual([])
    },
  )
})
