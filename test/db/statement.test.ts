import { expect, test } from 'vitest'
import { jsonStatement, jsonStatementOf } from '../../src/db/statement.ts'

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

test('members are parameters of their own, numbered as they are listed, wherever they stand', async () => {
  const client = noting()
  const statement = jsonStatementOf<{ a: number[]; ab: object }, object>('select :ab, a::text, :a', ['a', 'ab'])
  await statement.run(client, { ab: { n: 1 }, a: [2] })
  expect(client.asked).toEqual([
    ['select $2::text::json, a::text, $1::text::json', ['[2]', '{"n":1}'], { prepare: true }],
  ])
})

test('a statement that does not name each of them exactly once is refused', () => {
  const declare = (text: string) => () => jsonStatementOf<{ a: number; b: number }, object>(text, ['a', 'b'])
  for (const text of ['select :a', 'select :a, :b, :a', 'select 1', 'select :a, ::b'])
    expect(declare(text), text).toThrow('must name each of a, b exactly once')
  expect(() => jsonStatement('select 1')).toThrow('must name each of input exactly once')
})
