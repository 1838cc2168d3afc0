import { PgDialect } from 'drizzle-orm/pg-core'
import { expect, test } from 'vitest'
import { batchStatement } from '../../src/db/batch-statement.ts'
import { jsonStatement } from '../../src/db/statement.ts'

/** Notes what it is asked, instead of asking Postgres. */
function noting() {
  const asked: unknown[][] = []
  return { asked, unsafe: ((...all: unknown[]) => asked.push(all)) as never }
}

test('the whole input is one parameter, in the place of its name', async () => {
  const client = noting()
  await jsonStatement('select x::int4 from json_to_recordset(:input) as i(x text)').run(client, [{ x: '1' }])
  expect(client.asked).toEqual([
    ['select x::int4 from json_to_recordset($1::text::json) as i(x text)', ['[{"x":"1"}]'], { prepare: true }],
  ])
})

test('a statement that does not name its input exactly once is refused', () => {
  for (const text of ['select 1', 'select :input, :input', 'select ::input'])
    expect(() => jsonStatement(text), text).toThrow('must name :input exactly once')
})

interface Two {
  readonly a: readonly { readonly n: number; readonly text: string | null }[]
  readonly b: readonly { readonly at: Date; readonly data: object }[]
}

const two = batchStatement<Two, object>('select * from :b(x), :a(y) where x.n::int4 = 1', {
  a: { n: 'int4', text: 'text' },
  b: { at: 'timestamptz', data: ['text', ({ data }) => JSON.stringify(data)] },
})

const INPUT: Two = {
  a: [
    { n: 1, text: 'it says "no" \\ yes' },
    { n: 2, text: null },
  ],
  b: [{ at: new Date(0), data: { deep: '"' } }],
}

const ARRAYS = [
  '{"1970-01-01T00:00:00.000Z"}',
  '{"{\\"deep\\":\\"\\\\\\"\\"}"}',
  '{1,2}',
  '{"it says \\"no\\" \\\\ yes",NULL}',
]

test('each column of a batch is one array, in the order in which the batches stand', async () => {
  const client = noting()
  await two.run(client, INPUT)
  const text =
    'select * from (select unnest($1::timestamptz[]) as "at", unnest($2::text[]) as "data") as x, (select unnest($3::int4[]) as "n", unnest($4::text[]) as "text") as y where x.n::int4 = 1'
  expect(client.asked).toEqual([[text, ARRAYS, { prepare: true }]])
})

test('it is the same for a transaction of drizzle', () => {
  const { sql, params } = new PgDialect().sqlToQuery(two.chunk(INPUT))
  expect(params).toEqual(ARRAYS)
  expect(sql).toContain('(select unnest($1::timestamptz[]) as "at", unnest($2::text[]) as "data") as x')
})

test('a statement that does not name each of its batches exactly once is refused', () => {
  const declare = (text: string) => () => batchStatement<Two, object>(text, { a: { n: 'int4' }, b: { at: 'text' } })
  for (const text of [
    'select :a(x)',
    'select :a(x), :b(y), :a(z)',
    'select 1',
    'select :a(x), ::b(y)',
    'select :a(x), :b',
  ])
    expect(declare(text), text).toThrow('must name each of a, b exactly once')
})
