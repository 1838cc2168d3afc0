import { readFileSync } from 'node:fs'
import { parse, validate } from 'graphql'
import { expect, test } from 'vitest'
import { schema } from '../../src/schema/index.ts'

/** The GraphQL of a page, one text for each operation: a block may hold several to be sent one after the other. */
function operationsIn(page: string): string[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8')
  const blocks = [...text.matchAll(/^```graphql\n(.*?)^```$/gms)].map(([, block = '']) => block)
  return blocks.flatMap((block) => block.split(/^(?=query|mutation|subscription)/m)).filter((one) => one.trim() !== '')
}

test.each(['README.md', 'docs/workflows.md'])('the operations of %s are what the server understands', (page) => {
  const operations = operationsIn(page)
  expect(operations.length).toBeGreaterThan(0)
  for (const operation of operations) expect(validate(schema, parse(operation)), operation).toEqual([])
})
