import { expect, test } from 'vitest'
import { action, NonRetryableError, OutcomeUnknownError, workflow } from '../../src/index.ts'
import { API_KEY, startTestServer, type TestServer } from '../support/server.ts'

const actions = [
  action('good', { run: () => 'done' }),
  action('also-good', { run: () => 'done' }),
  action('bad', {
    run: () => {
      throw new NonRetryableError('no')
    },
  }),
  action('lost', {
    effect: 'unsafe',
    run: () => {
      throw new OutcomeUnknownError('who knows')
    },
  }),
]

/** One run of each kind, a second apart, the first one the oldest. */
async function withRuns(): Promise<{ server: TestServer; named: (filter: object) => Promise<string[]> }> {
  const server = await startTestServer(actions)
  const submissions = [
    { name: 'good', idempotencyKey: 'k' },
    { name: 'also-good', idempotencyKey: 'k' },
    { name: 'bad' },
    { name: 'lost' },
    { name: 'good', runAt: '2099-01-01T00:00:00Z', waitMs: 0, idempotencyKey: 'later' },
  ]
  const label = new Map<string, string>()
  for (const [second, input] of submissions.entries()) {
    const { run } = await server.execute(input)
    label.set(run?.id ?? '', `${input.name} ${run?.status}`)
    await server.executor.db.hot`
      update action_do.runs set created_at = timestamptz '2026-01-31T12:00:00Z' + ${second}::int * interval '1 s'
      where created_at > '2026-02-01'`
  }
  const query = 'query($filter: RunFilter) { runs(filter: $filter) { nodes { id name status idempotencyKey } } }'
  const named = async (filter: object) => {
    const { runs } = await server.query<{ runs: { nodes: { id: string }[] } }>(query, { filter })
    return runs.nodes.map(({ id }) => label.get(id) ?? id)
  }
  return { server, named }
}

const ALL = ['good SCHEDULED', 'lost INDETERMINATE', 'bad FAILED', 'also-good SUCCEEDED', 'good SUCCEEDED']

test('each filter chooses its runs, and several must all hold', async () => {
  const { named } = await withRuns()
  const at = (second: number) => `2026-01-31T12:00:0${second}Z`
  const cases: [object, string[]][] = [
    [{}, ALL],
    [{ status: null, name: null, kind: null, createdAfter: null, createdBefore: null, idempotencyKey: null }, ALL],
    [{ status: ['FAILED'] }, ['bad FAILED']],
    [{ status: ['SUCCEEDED', 'INDETERMINATE'] }, ['lost INDETERMINATE', 'also-good SUCCEEDED', 'good SUCCEEDED']],
    [{ status: [] }, []],
    [{ status: ['WAITING'] }, []],
    [{ name: 'good' }, ['good SCHEDULED', 'good SUCCEEDED']],
    [{ name: 'Good' }, []],
    [{ name: "x' or true --" }, []],
    [{ kind: 'ACTION' }, ALL],
    [{ kind: 'WORKFLOW' }, []],
    [{ createdAfter: at(2) }, ['good SCHEDULED', 'lost INDETERMINATE']],
    [{ createdBefore: at(2) }, ['also-good SUCCEEDED', 'good SUCCEEDED']],
    [{ createdAfter: at(0), createdBefore: at(3) }, ['bad FAILED', 'also-good SUCCEEDED']],
    [{ createdAfter: '2026-01-31T14:00:02+02:00' }, ['good SCHEDULED', 'lost INDETERMINATE']],
    [{ name: 'good', idempotencyKey: 'k' }, ['good SUCCEEDED']],
    [{ name: 'also-good', kind: 'ACTION', idempotencyKey: 'k' }, ['also-good SUCCEEDED']],
    [{ name: 'good', kind: 'WORKFLOW', idempotencyKey: 'k' }, []],
    [{ name: 'bad', idempotencyKey: 'k' }, []],
    [{ name: 'good', idempotencyKey: 'k', status: ['FAILED'] }, []],
    [{ name: 'good', status: ['SCHEDULED'], createdAfter: at(3) }, ['good SCHEDULED']],
  ]
  const found = await Promise.all(cases.map(async ([filter]) => [filter, await named(filter)]))
  expect(found).toEqual(cases)
})

test('a key with a name finds the action, the workflow or both that were submitted under them', async () => {
  const good = action('good', { run: () => 'done' })
  const workflows = [workflow('good').step('step', good, () => ({})), workflow('alone').step('step', good, () => ({}))]
  const server = await startTestServer([good], { workflows })
  const start = (name: string) =>
    server.query(
      `mutation { startWorkflow(input: { name: "${name}", idempotencyKey: "k", waitMs: 30000 }) { __typename } }`,
    )
  await server.execute({ name: 'good', idempotencyKey: 'k' })
  await start('good')
  await start('alone')
  const query = `query($filter: RunFilter!) { runs(filter: $filter) { nodes { __typename name } } countRuns(filter: $filter) }`
  const found = (filter: object) => server.query(query, { filter: { idempotencyKey: 'k', ...filter } })
  const of = (name: string) => ({ __typename: 'WorkflowRun', name })
  const run = (name: string) => ({ __typename: 'ActionRun', name })
  expect(await found({ name: 'alone' })).toEqual({ runs: { nodes: [of('alone')] }, countRuns: 1 })
  expect(await found({ name: 'good' })).toEqual({ runs: { nodes: [of('good'), run('good')] }, countRuns: 2 })
  expect(await found({ name: 'good', kind: 'ACTION' })).toEqual({ runs: { nodes: [run('good')] }, countRuns: 1 })
  expect(await found({ name: 'other' })).toEqual({ runs: { nodes: [] }, countRuns: 0 })
})

test('a page of a filtered list goes on within the filter', async () => {
  const { server } = await withRuns()
  const query = `query($after: String) { runs(first: 1, after: $after, filter: { name: "good" }) {
    nodes { status } pageInfo { hasNextPage endCursor } } }`
  type Answer = { runs: { nodes: { status: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } }
  const first = await server.query<Answer>(query)
  const second = await server.query<Answer>(query, { after: first.runs.pageInfo.endCursor })
  expect(first.runs).toMatchObject({ nodes: [{ status: 'SCHEDULED' }], pageInfo: { hasNextPage: true } })
  expect(second.runs).toMatchObject({ nodes: [{ status: 'SUCCEEDED' }], pageInfo: { hasNextPage: false } })
})

test('watching runs is filtered as listing them', async () => {
  const { server } = await withRuns()
  const body = JSON.stringify({
    query: 'subscription { runs(filter: { status: [FAILED], name: "bad" }) { name status } }',
  })
  const abort = new AbortController()
  const response = await fetch(server.url, {
    method: 'POST',
    body,
    signal: abort.signal,
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${API_KEY}`,
    },
  })
  await server.execute({ name: 'good' })
  await server.execute({ name: 'bad' })
  let text = ''
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk
    if (text.includes('event: next')) break
  }
  abort.abort()
  expect(text).toContain('{"data":{"runs":{"name":"bad","status":"FAILED"}}}')
  expect(text).not.toContain('good')
})
