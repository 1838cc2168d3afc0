import { serverAudits } from 'graphql-http'
import { expect, test } from 'vitest'
import { action } from '../../src/index.ts'
import { API_KEY, startTestServer } from '../support/server.ts'

test('the server does all that the GraphQL over HTTP specification demands, recommends and allows', async () => {
  const server = await startTestServer([action('good', { run: () => 'done' })])
  const fetchFn = (url: string, init: RequestInit = {}) =>
    fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${API_KEY}` } })
  const audits = serverAudits({ url: server.url, fetchFn })
  const results = await Promise.all(audits.map((audit) => audit.fn()))
  expect(results.length).toBeGreaterThan(50)
  const failed = results.filter(({ status }) => status !== 'ok')
  const reasons = failed.map((result) => `${result.name}: ${'reason' in result ? result.reason : ''}`)
  expect(reasons).toEqual([])
})
