import { parse } from 'graphql'
import { expect, test } from 'vitest'
import { Documents } from '../../src/server/documents.ts'

const LIMITS = { documents: 3, characters: 100, longest: 60 }

function documentsWith(...texts: string[]): Documents {
  const documents = new Documents(LIMITS)
  for (const text of texts) documents.set(text, parse(text))
  return documents
}

test('a document is found by its text', () => {
  const document = parse('{ a }')
  const documents = new Documents(LIMITS)
  documents.set('{ a }', document)
  expect(documents.get('{ a }')).toBe(document)
  expect(documents.get('{ b }')).toBeUndefined()
})

test('over the number of documents, the one that was not asked for the longest goes', () => {
  const documents = documentsWith('{ a }', '{ b }', '{ c }')
  documents.get('{ a }')
  documents.set('{ d }', parse('{ d }'))
  expect(['{ a }', '{ b }', '{ c }', '{ d }'].map((text) => documents.get(text) !== undefined)).toEqual([
    true,
    false,
    true,
    true,
  ])
})

test('over the number of characters, as many go as make room', () => {
  const [first, second] = ['x', 'y'].map((name) => `{ ${name.repeat(50)} }`) as [string, string]
  const documents = documentsWith('{ a }', first, second)
  expect(documents.get('{ a }')).toBeUndefined()
  expect(documents.get(first)).toBeUndefined()
  documents.set('{ b }', parse('{ b }'))
  expect(documents.get(second)).toBeDefined()
})

test('a document that is longer than the limit is not kept, and none goes for it', () => {
  const documents = documentsWith('{ a }')
  const long = `{ ${'x'.repeat(60)} }`
  documents.set(long, parse(long))
  expect(documents.get(long)).toBeUndefined()
  expect(documents.get('{ a }')).toBeDefined()
})

test('a document that was parsed and not validated is not taken for valid', () => {
  expect(documentsWith('{ a }').getValid('{ a }')).toBeUndefined()
})
