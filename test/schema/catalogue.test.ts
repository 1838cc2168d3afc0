import { expect, test } from 'vitest'
import { z } from 'zod'
import { action } from '../../src/index.ts'
import { startTestServer } from '../support/server.ts'

const charge = action('charge', {
  description: 'Charges a card.',
  version: '7',
  params: z.object({ cents: z.int().positive(), currency: z.string().default('eur') }),
  result: z.object({ id: z.string(), seen: z.boolean().default(true) }),
  effect: 'unsafe',
  retry: { maxAttempts: 4, backoff: { initialMs: 10, factor: 3, maxMs: 900, jitter: false }, deadlineMs: 60_000 },
  timeoutMs: 1_234,
  run: () => ({ id: 'ch_1' }),
  probe: async () => ({ outcome: 'unknown' }),
})
const plain = action('a-plain-one', { run: () => null })

const FIELDS = `name version description effect paramsSchema resultSchema timeoutMs
  retry { maxAttempts deadlineMs backoff { initialMs factor maxMs jitter } } hasProbe`

test('the catalogue shows each action by name, with JSON Schemas of what it takes and gives', async () => {
  const server = await startTestServer([charge, plain])
  const { actions } = await server.query<{ actions: Record<string, unknown>[] }>(`{ actions { ${FIELDS} } }`)
  expect(actions).toHaveLength(2)
  expect(actions[0]).toEqual({
    name: 'a-plain-one',
    version: '1',
    description: null,
    effect: 'idempotent',
    paramsSchema: null,
    resultSchema: null,
    timeoutMs: 60_000,
    retry: { maxAttempts: 3, deadlineMs: null, backoff: { initialMs: 500, factor: 2, maxMs: 60_000, jitter: true } },
    hasProbe: false,
  })
  expect(actions[1]).toMatchObject({
    name: 'charge',
    version: '7',
    description: 'Charges a card.',
    effect: 'unsafe',
    timeoutMs: 1_234,
    retry: { maxAttempts: 4, deadlineMs: 60_000, backoff: { initialMs: 10, factor: 3, maxMs: 900, jitter: false } },
    hasProbe: true,
    paramsSchema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      // a member with a default may be left out
      required: ['cents'],
      properties: { cents: { type: 'integer' }, currency: { type: 'string', default: 'eur' } },
    },
    // a default is there in what comes out
    resultSchema: { type: 'object', required: ['id', 'seen'] },
  })
})

test('an action is found by its name, and only by it', async () => {
  const server = await startTestServer([charge])
  const query = 'query($name: String!) { action(name: $name) { name } }'
  expect(await server.query(query, { name: 'charge' })).toEqual({ action: { name: 'charge' } })
  for (const name of ['Charge', 'charge ', '', '__proto__', 'constructor', '\u0000'])
    expect(await server.query(query, { name })).toEqual({ action: null })
})

test('a server without actions has an empty catalogue', async () => {
  const server = await startTestServer([])
  expect(await server.query('{ actions { name } }')).toEqual({ actions: [] })
  expect(await server.execute({ name: 'charge' })).toMatchObject({
    code: 'ACTION_NOT_FOUND',
    message: 'There is no action "charge". No action is registered.',
  })
})

test('a run is found as a run and as a node, with everything that was given and came of it', async () => {
  const server = await startTestServer([charge])
  const params = { currency: 'usd', cents: 5 }
  const { run } = await server.execute({ name: 'charge', params, idempotencyKey: 'k', priority: 3 })
  const query = `query($id: ID!) {
    run(id: $id) { __typename id name version status idempotencyKey params result error { code } priority
      createdAt startedAt finishedAt availableAt stepKey lastSeq isEnded heartbeat
      attempts { number status startedAt finishedAt durationMs worker error { code } }
      events { runId seq at step from to reason attempt actor data } }
    node(id: $id) { __typename id ... on Run { name } } }`
  const answer = await server.query<{ run: Record<string, unknown>; node: object }>(query, { id: run?.id })
  const moment = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  expect(answer.node).toEqual({ __typename: 'ActionRun', id: run?.id, name: 'charge' })
  expect(answer.run).toMatchObject({
    __typename: 'ActionRun',
    id: expect.stringMatching(/^run_[0-7][0-9a-hjkmnp-tv-z]{25}$/),
    version: '7',
    status: 'SUCCEEDED',
    idempotencyKey: 'k',
    priority: 3,
    result: { id: 'ch_1', seen: true },
    error: null,
    createdAt: moment,
    startedAt: moment,
    finishedAt: moment,
    availableAt: null,
    stepKey: null,
    lastSeq: 2,
    isEnded: true,
    heartbeat: null,
    attempts: [{ number: 1, status: 'SUCCEEDED', startedAt: moment, finishedAt: moment, worker: expect.any(String) }],
    events: [
      { runId: run?.id, seq: 1, at: moment, step: null, from: null, to: 'RUNNING', actor: 'DO_API_KEY' },
      { runId: run?.id, seq: 2, at: moment, step: null, from: 'RUNNING', to: 'SUCCEEDED', actor: null },
    ],
  })
  // as given: the order of the members, and no defaults
  expect(JSON.stringify(answer.run.params)).toBe('{"currency":"usd","cents":5}')
})

test('a run that never was has no page, no events and no attempts', async () => {
  const server = await startTestServer([charge])
  expect(
    await server.query('{ run(id: "run_00000000000000000000000000") { attempts { number } events { seq } } }'),
  ).toEqual({
    run: null,
  })
})

test('the events of a run come in pages by seq', async () => {
  const server = await startTestServer([charge])
  const { run } = await server.execute({ name: 'charge', params: { cents: 1 } })
  const query = `query($id: ID!) { run(id: $id) { all: events { seq } first: events(first: 1) { seq }
    rest: events(after: 1) { seq } none: events(first: 0) { seq } beyond: events(after: 99) { seq } } }`
  expect(await server.query(query, { id: run?.id })).toEqual({
    run: { all: [{ seq: 1 }, { seq: 2 }], first: [{ seq: 1 }], rest: [{ seq: 2 }], none: [], beyond: [] },
  })
})
