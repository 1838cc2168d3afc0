import { getOperationAST, parse } from 'graphql'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { EventRow } from '../../src/db/rows.ts'
import { schema } from '../../src/schema/index.ts'
import { type Asked, Audiences } from '../../src/server/audience.ts'
import { Documents } from '../../src/server/documents.ts'
import { createGraphql } from '../../src/server/graphql.ts'
import { selectingVariables, watchingField } from '../../src/server/watching.ts'
import { startTestServer } from '../support/server.ts'

const QUERY = `subscription($id: ID!, $after: Int, $full: Boolean = false) {
  runEvents(id: $id, after: $after) { seq to reason @include(if: $full) } }`

const EVENT: EventRow = {
  rootId: '00000000-0000-0000-0000-000000000000',
  runId: '00000000-0000-0000-0000-000000000000',
  seq: 7,
  at: new Date(0),
  stepKey: null,
  fromStatus: 'RUNNING',
  toStatus: 'SUCCEEDED',
  reason: 'COMPLETED',
  attempt: 1,
  error: null,
  actor: null,
  data: null,
}

function asked(more: Partial<Asked> = {}): Asked {
  const document = parse(more.query ?? QUERY)
  const selecting = selectingVariables(document, watchingField(document, undefined)!)
  return {
    actor: 'me',
    query: QUERY,
    schema,
    document,
    operationName: undefined,
    variables: { id: 'x' },
    selecting,
    ...more,
  }
}

async function audiences(): Promise<Audiences> {
  const { executor } = await startTestServer([])
  const log = pino({ level: 'silent' })
  return new Audiences(createGraphql(executor, new Documents(), log), log)
}

test('subscribers of different runs from different places who select the same are one audience', async () => {
  const all = await audiences()
  const one = all.join(asked({ variables: { id: 'a', after: 1 } }))
  expect(all.join(asked({ variables: { id: 'b', after: 2 } }))).toBe(one)
})

test('whoever differs in what the answer depends on is another audience', async () => {
  const all = await audiences()
  const one = all.join(asked())
  expect(all.join(asked({ variables: { id: 'x', full: true } }))).not.toBe(one)
  expect(all.join(asked({ actor: 'another' }))).not.toBe(one)
  expect(all.join(asked({ operationName: 'named' }))).not.toBe(one)
  expect(all.join(asked({ query: QUERY.replace('seq', 'runId') }))).not.toBe(one)
})

test('an event is answered once for all of an audience', async () => {
  const all = await audiences()
  const audience = all.join(asked())
  const first = audience.answer(EVENT)
  expect(audience.answer(EVENT)).toBe(first)
  expect(JSON.parse(await first)).toEqual({ data: { runEvents: { seq: 7, to: 'SUCCEEDED' } } })
  expect(audience.answer(EVENT)).toBe(await first)
})

test('each audience gets what it selects of the same event', async () => {
  const all = await audiences()
  const answers = [{ id: 'x' }, { id: 'x', full: true }].map((variables) =>
    all.join(asked({ variables })).answer(EVENT),
  )
  expect((await Promise.all(answers)).map((text) => Object.keys(JSON.parse(text).data.runEvents))).toEqual([
    ['seq', 'to'],
    ['seq', 'to', 'reason'],
  ])
})

test('an error in an answer is masked, like everywhere', async () => {
  const all = await audiences()
  const broken = { ...EVENT, at: 'no date' } as unknown as EventRow
  const query = QUERY.replace('seq', 'at')
  const { data, errors } = JSON.parse(await all.join(asked({ query, document: parse(query) })).answer(broken))
  expect(data).toBeNull()
  expect(errors).toMatchObject([{ message: 'Unexpected error.', path: ['runEvents', 'at'] }])
})

test('an audience is forgotten with its last member', async () => {
  const all = await audiences()
  const [one, two] = [all.join(asked()), all.join(asked())]
  all.leave(one)
  expect(all.join(asked())).toBe(two)
  all.leave(one)
  all.leave(two)
  expect(all.join(asked())).not.toBe(one)
})

test('the variables that answers depend on are those of the selection, also within fragments', () => {
  const document = parse(`subscription Watch($id: ID!, $a: Boolean!, $b: Boolean!) {
      runEvents(id: $id) { seq to @skip(if: $b) ...more } }
    fragment more on RunEvent { reason @include(if: $a) }`)
  expect(selectingVariables(document, watchingField(document, undefined)!)).toEqual(['a', 'b'])
})

test.each([
  ['another field', 'subscription { runs { id } }'],
  ['a query', '{ run(id: "x") { id } }'],
  ['a field behind a fragment', 'subscription { ...f } fragment f on Subscription { runEvents(id: "x") { seq } }'],
  ['a field that a variable may leave out', 'subscription($x: Boolean!) { runEvents(id: "x") @skip(if: $x) { seq } }'],
])('%s goes the ordinary way', (_, query) => {
  expect(getOperationAST(parse(query))).toBeTruthy()
  expect(watchingField(parse(query), undefined)).toBeUndefined()
})
