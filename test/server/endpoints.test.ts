import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { action, NonRetryableError } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { startProxy } from '../support/proxy.ts'
import { codeIn, rawRequest } from '../support/raw-http.ts'
import { latch, submit } from '../support/runs.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const good = action('good', { run: () => 'done' })

function get(server: TestServer, path: string, headers: Record<string, string> = {}) {
  return rawRequest(new URL(path, server.url).href, { headers })
}

test('health and metrics need no key', async () => {
  const server = await startTestServer([good])
  for (const [path, body] of [
    ['/health/live', { status: 'ok' }],
    ['/health/ready', { status: 'ok' }],
    ['/health/ready?verbose', { status: 'ok' }],
  ] as const) {
    const answer = await get(server, path)
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toEqual(body)
  }
  expect((await get(server, '/metrics')).status).toBe(200)
})

test('an idle connection is kept for longer than load balancers keep theirs', async () => {
  const server = await startTestServer([good])
  const { headers } = await fetch(new URL('/health/live', server.url))
  expect(headers.get('keep-alive')).toBe('timeout=65')
})

test('the format of workflows as data is there for editors, without a key, as it is published', async () => {
  const server = await startTestServer([good])
  const { status, headers, body } = await get(server, '/schemas/workflow.json')
  expect(status).toBe(200)
  expect(headers['content-type']).toBe('application/schema+json; charset=utf-8')
  const published = readFileSync(new URL('../../workflow.schema.json', import.meta.url), 'utf8')
  expect(JSON.parse(body)).toEqual(JSON.parse(published))
  expect(JSON.parse(body)).toMatchObject({ $schema: expect.stringContaining('2020-12'), required: ['name', 'steps'] })
})

test('a server whose database does not answer is live and not ready', async () => {
  const database = await startProxy(await testDatabase())
  const server = await startTestServer([good], { databaseUrl: database.url, logLevel: 'silent' })
  database.refuse(true)
  database.cutAll()
  expect((await get(server, '/health/live')).status).toBe(200)
  const ready = await get(server, '/health/ready')
  expect(ready.status).toBe(503)
  expect(JSON.parse(ready.body)).toEqual({ status: 'database unavailable' })
  database.refuse(false)
  await until(async () => (await get(server, '/health/ready')).status === 200)
})

test('the root leads to the API', async () => {
  const server = await startTestServer([good])
  const answer = await get(server, '/')
  expect(answer.status).toBe(302)
  expect(answer.headers.location).toBe('/graphql')
})

test.each(['/nothing', '/graphql/', '/graphql/x', '/health', '/METRICS', '//evil.example/graphql', '/%00'])(
  '%s is not found, in JSON',
  async (path) => {
    const server = await startTestServer([good])
    const answer = await rawRequest(server.url.replace('/graphql', path))
    expect(answer.status).toBe(404)
    expect(answer.headers['content-type']).toMatch(/^application\/json\b/)
    expect(codeIn(answer)).toBe('NOT_FOUND')
  },
)

test('a browser that opens the API gets a page, without a key', async () => {
  const server = await startTestServer([good])
  const answer = await get(server, '/graphql', { accept: 'text/html,application/xhtml+xml' })
  expect(answer.headers['content-type']).toMatch(/^text\/html\b/)
  expect([200, 503]).toContain(answer.status)
})

/** The samples of Prometheus' text format, by series. Throws for a line that is none. */
function parseMetrics(text: string): Map<string, number> {
  const samples = new Map<string, number>()
  const typed = new Set<string>()
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const type = /^# TYPE ([a-z_:][a-z0-9_:]*) (counter|gauge|histogram|summary)$/.exec(line)
    if (type?.[1]) typed.add(type[1])
    if (line.startsWith('# HELP ') || type) continue
    const [, series, name, value] = /^(([a-z_:][a-z0-9_:]*)(?:\{.*\})?) ([-+0-9.eE]+|Nan|[+-]Inf)$/.exec(line) ?? []
    if (!series || !name) throw new Error(`no line of metrics: ${line}`)
    if (!typed.has(name) && !typed.has(name.replace(/_(bucket|sum|count)$/, ''))) throw new Error(`no type: ${line}`)
    samples.set(series, Number(value))
  }
  return samples
}

test('the metrics are Prometheus text and count what came of the runs', async () => {
  const free = latch()
  const bad = action('bad', {
    run: () => {
      throw new NonRetryableError('no')
    },
  })
  const server = await startTestServer([good, bad, action('slow', { run: () => free.opened })])
  await Promise.all(['good', 'good', 'bad'].map((name) => server.execute({ name })))
  await submit(server, { name: 'slow' })
  const answer = await get(server, '/metrics')
  expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  const samples = parseMetrics(answer.body)
  expect(samples.get('action_do_runs_settled_total{action="good",status="SUCCEEDED"}')).toBe(2)
  expect(samples.get('action_do_runs_settled_total{action="bad",status="FAILED"}')).toBe(1)
  expect(samples.get('action_do_run_duration_seconds_count{action="good"}')).toBe(2)
  expect(samples.get('action_do_run_duration_seconds_bucket{le="+Inf",action="good"}')).toBe(2)
  expect(samples.get('action_do_runs_running')).toBe(1)
  expect(samples.has('process_resident_memory_bytes')).toBe(true)
  free.open()
})

test('two servers in one process keep their metrics apart', async () => {
  const [one, two] = [await startTestServer([good]), await startTestServer([good])]
  await one.execute({ name: 'good' })
  const series = 'action_do_runs_settled_total{action="good",status="SUCCEEDED"}'
  expect(parseMetrics((await get(one, '/metrics')).body).get(series)).toBe(1)
  expect(parseMetrics((await get(two, '/metrics')).body).has(series)).toBe(false)
})
