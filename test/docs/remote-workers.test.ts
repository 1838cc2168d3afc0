import { parse, validate } from 'graphql'
import { expect, test } from 'vitest'
import { schema } from '../../src/schema/index.ts'
import { readPage, startPython } from '../support/page.ts'
import { API_KEY, startTestServer } from '../support/server.ts'

const { text, codeOf } = readPage('remote-workers.md')

test('every mutation of the page is valid, and all of remote workers are there', () => {
  const mutations = [...text.matchAll(/^```graphql\n(.*?)^```$/gms)].map(([, code]) => code ?? '')
  for (const mutation of mutations) expect(validate(schema, parse(mutation))).toEqual([])
  for (const name of ['registerWorker', 'claimRuns', 'renewLeases', 'completeAttempt', 'failAttempt', 'stopWorker'])
    expect(mutations.some((mutation) => mutation.includes(`${name}(`))).toBe(true)
})

test('every input of the page is JSON', () => {
  for (const [, code] of text.matchAll(/^```json\n(.*?)^```$/gms)) expect(() => JSON.parse(code ?? '')).not.toThrow()
})

test('the worker of the page in Python executes what it is given, and says what fails', async () => {
  const server = await startTestServer([])
  const env = { DO_URL: server.url, DO_API_KEY: API_KEY }
  await startPython(codeOf('python', 'worker'), 'registered', env)
  const sent = await server.execute({ name: 'send-mail', params: { to: 'ada@example.test' } })
  expect(sent.run).toMatchObject({ status: 'SUCCEEDED', result: { sent: 'ada@example.test' } })
  const failed = await server.execute({ name: 'send-mail', params: {}, waitMs: 1_000 })
  expect(failed.run?.attempts[0]).toMatchObject({ status: 'FAILED', error: { message: "'to'" } })
  const again = await Promise.all([1, 2, 3].map((n) => server.execute({ name: 'send-mail', params: { to: `${n}` } })))
  expect(again.map(({ run }) => run?.status)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED'])
})
