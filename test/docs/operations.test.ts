import { readFileSync } from 'node:fs'
import { parse, validate } from 'graphql'
import { expect, test } from 'vitest'
import { schema } from '../../src/schema/index.ts'

/** The blocks of GraphQL of a page: each can be sent as it is. */
function operationsIn(page: string): string[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8')
  return [...text.matchAll(/^```graphql\n(.*?)^```$/gms)].map(([, block = '']) => block)
}

test.each(['README.md', 'docs/workflows.md'])('the operations of %s are what the server understands', (page) => {
  const operations = operationsIn(page)
  expect(operations.length).toBeGreaterThan(0)
  for (const operation of operations) expect(validate(schema, parse(operation)), operation).toEqual([])
})
