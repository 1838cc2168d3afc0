import { expect, test } from 'vitest'
import { action } from '../../src/index.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

interface Page {
  edges: { cursor: string; node: { id: string } }[]
  nodes: { id: string }[]
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null }
}

const double = action('double', { run: ({ params }) => params })
const TOTAL = 25

const RUNS = `query($first: Int, $after: String, $last: Int, $before: String, $filter: RunFilter) {
  runs(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
    edges { cursor node { id } } nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`

async function pageOf(server: TestServer, variables: object): Promise<Page> {
  return (await server.query<{ runs: Page }>(RUNS, variables)).runs
}

const idsOf = (page: Page) => page.edges.map(({ node }) => node.id)

/** The newest first, as one page shows them. */
async function withRuns(spread: 'apart' | 'at once'): Promise<{ server: TestServer; all: string[] }> {
  // nobody executes them: nothing else changes the rows that are dated here
  const server = await startTestServer([double], { role: 'api' })
  const inputs = Array.from({ length: TOTAL }, () => ({ name: 'double' }))
  await server.query('mutation($inputs: [ExecuteActionInput!]!) { executeActions(inputs: $inputs) { __typename } }', {
    inputs,
  })
  if (spread === 'at once') await server.executor.db.hot`update action_do.runs set created_at = '2026-01-31T12:00:00Z'`
  else
    await server.executor.db.hot`
      update action_do.runs r set created_at = timestamptz '2026-01-31T12:00:00Z' + o.place * interval '1 ms'
      from (select id, row_number() over (order by id desc) as place from action_do.runs) o where o.id = r.id`
  const rows = await server.executor.db.hot<{ id: string }[]>`
    select id from action_do.runs order by created_at desc, id desc`
  const all = idsOf(await pageOf(server, {}))
  expect(all).toHaveLength(TOTAL)
  expect(new Set(all).size).toBe(TOTAL)
  expect(rows).toHaveLength(TOTAL)
  return { server, all }
}

test.each(['apart', 'at once'] as const)(
  'pages forward over runs created %s have no gap and no duplicate',
  async (spread) => {
    const { server, all } = await withRuns(spread)
    for (const first of [1, 7, 24, 25, 26]) {
      const seen: string[] = []
      for (let after: string | null = null, more = true; more; ) {
        const page: Page = await pageOf(server, { first, after })
        expect(page.pageInfo.hasPreviousPage).toBe(seen.length > 0)
        seen.push(...idsOf(page))
        expect(page.pageInfo.hasNextPage).toBe(seen.length < TOTAL)
        expect(page.nodes.map(({ id }) => id)).toEqual(idsOf(page))
        expect(page.pageInfo.startCursor).toBe(page.edges[0]?.cursor)
        expect(page.pageInfo.endCursor).toBe(page.edges.at(-1)?.cursor)
        after = page.pageInfo.endCursor
        more = page.pageInfo.hasNextPage
      }
      expect(seen).toEqual(all)
    }
  },
)

test.each(['apart', 'at once'] as const)(
  'pages backward over runs created %s have no gap and no duplicate',
  async (spread) => {
    const { server, all } = await withRuns(spread)
    for (const last of [1, 7, 24, 25, 26]) {
      const seen: string[] = []
      for (let before: string | null = null, more = true; more; ) {
        const page: Page = await pageOf(server, { last, before })
        expect(page.pageInfo.hasNextPage).toBe(seen.length > 0)
        seen.unshift(...idsOf(page))
        expect(page.pageInfo.hasPreviousPage).toBe(seen.length < TOTAL)
        before = page.pageInfo.startCursor
        more = page.pageInfo.hasPreviousPage
      }
      expect(seen).toEqual(all)
    }
  },
)

test('a range between two cursors is cut from either end, and says that there is more outside of it', async () => {
  const { server, all } = await withRuns('at once')
  const { edges } = await pageOf(server, {})
  const [after, before] = [edges[4]?.cursor, edges[15]?.cursor]
  const whole = await pageOf(server, { after, before, first: 50 })
  expect(idsOf(whole)).toEqual(all.slice(5, 15))
  expect(whole.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: true })
  const newest = await pageOf(server, { after, before, first: 3 })
  expect(idsOf(newest)).toEqual(all.slice(5, 8))
  const oldest = await pageOf(server, { after, before, last: 3 })
  expect(idsOf(oldest)).toEqual(all.slice(12, 15))
  expect(oldest.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: true })
  const tail = await pageOf(server, { after, last: 50 })
  expect(idsOf(tail)).toEqual(all.slice(5))
  expect(tail.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: false })
})

test('a page that begins in the middle stays where it is when newer runs come', async () => {
  const { server, all } = await withRuns('apart')
  const { pageInfo } = await pageOf(server, { first: 10 })
  await server.execute({ name: 'double', waitMs: 0 })
  expect(idsOf(await pageOf(server, { first: 10, after: pageInfo.endCursor }))).toEqual(all.slice(10, 20))
})

test('an empty list has an empty page', async () => {
  const server = await startTestServer([double])
  for (const variables of [{}, { first: 5 }, { last: 5 }, { first: 0 }])
    expect(await pageOf(server, variables)).toEqual({
      edges: [],
      nodes: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
    })
})

test('a page of none tells whether there are any', async () => {
  const { server } = await withRuns('apart')
  expect((await pageOf(server, { first: 0 })).pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false })
  expect((await pageOf(server, { last: 0 })).pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true })
})
