import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { httpAction } from '../../src/index.ts'
import { ALLOW_LOCAL, SECRET, scriptedService } from '../support/http-service.ts'
import { readPage, startPython } from '../support/page.ts'
import { settled, submit } from '../support/runs.ts'
import { API_KEY, startTestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const { codeOf } = readPage('http-actions.md')

/** Runs commands of the page; answers with what they print. */
async function shell(name: string, env: Record<string, string>): Promise<string> {
  const run = promisify(execFile)('bash', ['-euo', 'pipefail', '-c', codeOf('sh', name)], {
    env: { ...process.env, ...env },
  })
  return (await run).stdout
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

test('the commands of the page register an action, and its service in Python executes it once', async () => {
  const server = await startTestServer([], { httpActionsAllow: ALLOW_LOCAL })
  const port = await freePort()
  const env = { DO_URL: server.url, DO_API_KEY: API_KEY, SERVICE_URL: `http://127.0.0.1:${port}/` }
  const { data } = JSON.parse(await shell('register', env))
  expect(data.registerAction).toMatchObject({ action: { name: 'send-mail', version: '1' } })
  const { secret } = data.registerAction
  await startPython(codeOf('python', 'service'), 'listening', { PORT: `${port}`, ACTION_SECRET: secret })
  const { run } = await server.execute({ name: 'send-mail', params: { to: 'ada@example.test' } })
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: { sent: 'ada@example.test' } })
  expect((await server.execute({ name: 'send-mail', params: { to: 'nobody' } })).code).toBe('INVALID_PARAMS')

  const answer = await shell('call', { ...env, ACTION_SECRET: secret })
  expect(JSON.parse(answer)).toEqual({ sent: 'ada@example.test' })
  const forged = await shell('call', { ...env, ACTION_SECRET: SECRET })
  expect(JSON.parse(forged)).toMatchObject({ code: 'SIGNATURE_INVALID' })
})

test('the service of the page is what it says: about 30 lines of the standard library', () => {
  const lines = codeOf('python', 'service')
    .split('\n')
    .filter((line) => line.trim() !== '')
  expect(lines.length).toBeLessThanOrEqual(35)
})

test('the command of the page completes what a service finishes later', async () => {
  const { url, calls } = await scriptedService((res) => res.writeHead(202).end())
  const ship = httpAction('ship', { url, secret: SECRET, callback: { deadlineMs: 60_000 } })
  const server = await startTestServer([ship], { httpActionsAllow: ALLOW_LOCAL })
  const id = await submit(server, { name: 'ship' })
  await until(() => calls.length === 1)
  const callback = calls[0]!.body.callback as { url: string; token: string }
  await shell('complete', { CALLBACK_URL: callback.url, CALLBACK_TOKEN: callback.token })
  expect((await settled(server, id)).result).toEqual({ parcel: 7 })
})
