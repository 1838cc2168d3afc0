import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { EFFECTS } from '../../src/core/effect.ts'
import { action } from '../../src/index.ts'
import { createNotes, notesIn } from '../support/notes.ts'
import { startTestServer } from '../support/server.ts'

class Opaque {}

const refused: [string, unknown, string, RegExp][] = [
  ['does not fit the schema', { total: 'twelve' }, 'INVALID_RESULT', /does not match its schema: total: /],
  ['is nothing where the schema wants something', undefined, 'INVALID_RESULT', /does not match its schema/],
]

const notJson: [string, unknown, string, RegExp][] = [
  ['holds a function', { f: () => 1 }, 'INVALID_RESULT', /is not valid JSON: f: is a function/],
  ['holds NaN', { list: [1, Number.NaN] }, 'INVALID_RESULT', /is not valid JSON: list\.1: is NaN/],
  ['is a BigInt', 12n, 'INVALID_RESULT', /is a bigint/],
  ['holds a Map', { m: new Map([[1, 2]]) }, 'INVALID_RESULT', /m: is a Map/],
  ['is an instance of a class', new Opaque(), 'INVALID_RESULT', /is a Opaque/],
  ['holds a NUL', { text: 'a\0b' }, 'INVALID_RESULT', /text: contains a NUL/],
  ['holds a lone surrogate', ['\uD800'], 'INVALID_RESULT', /0: contains a lone surrogate/],
  ['leads back to itself', circular(), 'INVALID_RESULT', /nested deeper than 100/],
  ['is over the limit', 'x'.repeat(2_000), 'RESULT_TOO_LARGE', /takes 2002 bytes as JSON; the limit is 1000/],
]

test.each(refused)('a result that %s is a permanent failure that says so', async (_, result, code, message) => {
  const total = action('total', { result: z.object({ total: z.number() }), run: () => result as { total: number } })
  const server = await startTestServer([total])
  const { run } = await server.execute({ name: 'total' })
  expect(run).toMatchObject({ status: 'FAILED', result: null, error: { code, retryable: false } })
  expect(run?.error?.message).toMatch(message)
  expect(run?.attempts).toHaveLength(1)
  expect(run?.events.at(-1)).toMatchObject({ reason: 'PERMANENT_FAILURE' })
})

test.each(notJson)('a result that %s fails for good, whatever the effect', async (_, result, code, message) => {
  const actions = EFFECTS.map((effect) => action(`odd-${effect}`, { effect, run: () => result }))
  const server = await startTestServer(actions, { maxResultBytes: 1_000 })
  for (const { name } of actions) {
    const { run } = await server.execute({ name })
    expect(run).toMatchObject({ status: 'FAILED', result: null, error: { code, retryable: false } })
    expect(run?.error?.message).toMatch(message)
    expect(run?.attempts).toHaveLength(1)
  }
})

test('the writes of a transactional action are rolled back when its result is refused', async () => {
  const note = action('note', {
    effect: 'transactional',
    params: z.object({ text: z.string(), result: z.enum(['good', 'bad', 'large']) }),
    run: async ({ params, tx }) => {
      await tx.execute(sql`insert into notes values (${params.text})`)
      return { good: 'kept', bad: Number.NaN, large: 'x'.repeat(2_000) }[params.result]
    },
  })
  const server = await startTestServer([note], { maxResultBytes: 1_000, migrate: createNotes })
  const statuses: string[] = []
  for (const result of ['bad', 'large', 'good']) {
    const { run } = await server.execute({ name: 'note', params: { text: result, result } })
    statuses.push(`${run?.status} ${run?.error?.code}`)
  }
  expect(statuses).toEqual(['FAILED INVALID_RESULT', 'FAILED RESULT_TOO_LARGE', 'SUCCEEDED undefined'])
  expect(await notesIn(server)).toEqual(['good'])
})

test('returning nothing is returning null, and what has toJSON is stored as that', async () => {
  const nothing = action('nothing', { run: () => {} })
  const dated = action('dated', { run: () => ({ at: new Date(0), gone: undefined }) })
  const server = await startTestServer([nothing, dated])
  expect((await server.execute({ name: 'nothing' })).run).toMatchObject({ status: 'SUCCEEDED', result: null })
  expect((await server.execute({ name: 'dated' })).run?.result).toEqual({ at: '1970-01-01T00:00:00.000Z' })
})

function circular(): unknown {
  const loop: { loop?: unknown } = {}
  loop.loop = loop
  return loop
}
