import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { cancel, retry } from '../support/control.ts'
import { testDatabase } from '../support/database.ts'
import { argumentsOf } from '../support/programs.ts'
import { rawPost } from '../support/raw-http.ts'
import { API_KEY, type ApiClient, apiClient } from '../support/server.ts'
import { webSocketClient } from '../support/subscriptions.ts'

type Line = Record<string, unknown>

const PASSWORD = 'opensesame-42'
const WRONG_KEY = 'wrong-key-9876543210'

/** Starts a server that logs everything, and answers with the lines of its life once `session` is over. */
async function logOf(session: (url: string, api: ApiClient) => Promise<void>): Promise<{ all: string; lines: Line[] }> {
  const databaseUrl = new URL(await testDatabase())
  databaseUrl.password = PASSWORD
  const child = spawn(process.execPath, argumentsOf('logging-server'), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl.href,
      DO_API_KEY: API_KEY,
      PORT: '0',
      LOG_LEVEL: 'trace',
      SHUTDOWN_TIMEOUT_MS: '2000',
    },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const closed = once(child, 'close')
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const written: string[] = []
  for await (const text of createInterface({ input: child.stdout })) {
    written.push(text)
    const { msg, url } = JSON.parse(text) as Line
    if (msg !== 'listening') continue
    session(String(url), apiClient(String(url))).then(
      () => child.kill('SIGTERM'),
      (error) => {
        written.push(JSON.stringify({ failed: String(error) }))
        child.kill('SIGKILL')
      },
    )
  }
  await closed
  expect(errors).toBe('')
  return { all: written.join('\n'), lines: written.map((text) => JSON.parse(text)) }
}

test('away from a terminal each line of the log is JSON, and a line about a run names it', async () => {
  const ids: Record<string, string> = {}
  const { lines } = await logOf(async (_, api) => {
    ids.good = (await api.execute({ name: 'good' })).run?.id ?? ''
    ids.bad = (await api.execute({ name: 'bad' })).run?.id ?? ''
    await retry(api, { id: ids.bad, reason: 'again' })
    ids.later = (await api.execute({ name: 'good', runAt: '2099-01-01T00:00:00Z', waitMs: 0 })).run?.id ?? ''
    await cancel(api, { id: ids.later, reason: 'no need' })
  })
  for (const line of lines) expect(line).toMatchObject({ level: expect.any(Number), time: expect.any(Number) })
  expect(lines.filter(({ failed }) => failed)).toEqual([])
  expect(lines.map(({ msg }) => msg)).toContain('stopped')
  const about = (msg: string) => lines.find((line) => line.msg === msg)
  expect(about('from the handler')).toMatchObject({ run: ids.good, action: 'good', attempt: 1, step: 1 })
  expect(about('succeeded')).toMatchObject({ run: ids.good, action: 'good', attempt: 1 })
  expect(about('the attempt did not succeed')).toMatchObject({ run: ids.bad, action: 'bad', code: 'DECLINED' })
  expect(about('a run was retried')).toMatchObject({ run: ids.bad, reason: 'again' })
  expect(about('a run was canceled')).toMatchObject({ run: ids.later, reason: 'no need' })
  const runs = lines.filter(
    (line) => 'attempt' in line || 'action' in line || /\brun was\b|attempt/.test(String(line.msg)),
  )
  expect(runs.length).toBeGreaterThan(4)
  expect(runs.filter(({ run }) => !/^run_[0-9a-z]{26}$/.test(String(run)))).toEqual([])
})

test('no secret is in the log of a session that used them in every way', async () => {
  const { all, lines } = await logOf(async (url, api) => {
    await api.execute({ name: 'good' })
    await api.post({ query: '{ nothing }' }, { authorization: `Bearer ${WRONG_KEY}` })
    await api.post({ query: '{ nothing }' })
    await api.post({ query: '{ runs(first: -1) { nodes { id } } }' })
    await rawPost(url, `{"query": "${API_KEY}`)
    for (const connectionParams of [{ apiKey: API_KEY }, { authorization: `Bearer ${API_KEY}` }])
      await webSocketClient(url, connectionParams).iterate({ query: '{ actions { name } }' }).next()
    const refused = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws')
    await once(refused, 'open')
    refused.send(JSON.stringify({ type: 'connection_init', payload: { apiKey: WRONG_KEY } }))
    await once(refused, 'close')
  })
  expect(lines.filter(({ failed }) => failed)).toEqual([])
  expect(lines.length).toBeGreaterThan(2)
  for (const secret of [API_KEY, PASSWORD, WRONG_KEY]) expect(all).not.toContain(secret)
})
