import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'

const run = promisify(execFile)
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

const PROGRAM = `
import { createServer } from 'node:http'
import { action, httpAction, serve } from 'action.do'
import { Do } from '@do-sdk/core'
import { createActionHandler, toNodeListener } from '@do-sdk/core/service'
import { Worker } from '@do-sdk/core/worker'
import { z } from 'zod'

const greet = action('greet', {
  params: z.object({ name: z.string().min(1) }),
  result: z.object({ greeting: z.string() }),
  run: async ({ params }) => ({ greeting: \`Hello, \${params.name}\` }),
})
const secret = 'whsec_' + Buffer.alloc(32, 'secret').toString('base64')
const actions = { double: { run: ({ params }) => params * 2 } }
const service = createServer(toNodeListener(createActionHandler({ secret, actions })))
await new Promise((resolve) => service.listen(0, '127.0.0.1', resolve))
const double = httpAction('double', { url: \`http://127.0.0.1:\${service.address().port}/\`, secret })
const options = { httpActionsAllow: ['127.0.0.1'] }
const server = await serve({ actions: [greet, double], ...options, port: 0, apiKey: 'a-key-of-this-test', logLevel: 'warn', printBanner: false })
const client = new Do({ apiKey: 'a-key-of-this-test', url: server.url })
const { result, error } = await client.action.execute({ name: 'greet', params: { name: 'Ada' } })
const { result: doubled } = await client.action.execute({ name: 'double', params: 21 })
service.close()
const worker = new Worker({ apiKey: 'a-key-of-this-test', url: server.url, actions: { halve: { params: z.number(), run: ({ params }) => params / 2 } } })
await worker.start()
const { result: halved } = await client.action.execute({ name: 'halve', params: 42 })
await worker.stop()
const page = await fetch(server.url, { headers: { accept: 'text/html' } })
await server.stop()
console.log(JSON.stringify({ result, error, doubled, halved, page: page.status }))
`

test('the packed packages work in an empty project, under plain Node', { timeout: 240_000 }, async () => {
  const project = await mkdtemp(join(tmpdir(), 'action-do-package-'))
  onTestFinished(() => rm(project, { recursive: true, force: true }))
  // dist/ is built by npm ci; building it here would pull it away from under the other tests
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', project]
  const packed = await run('npm', [...pack, '--workspace', '@do-sdk/core', '--include-workspace-root'], { cwd: root })
  const tarballs = filenames(packed.stdout).map((name) => join(project, name))
  expect(tarballs).toHaveLength(2)
  await writeFile(join(project, 'package.json'), JSON.stringify({ type: 'module', private: true }))
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...tarballs, 'zod@4.6.7'], {
    cwd: project,
  })
  await writeFile(join(project, 'server.js'), PROGRAM)
  const { stdout } = await run(process.execPath, ['server.js'], { cwd: project, env: withoutConditions() })
  expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual({
    result: { greeting: 'Hello, Ada' },
    doubled: 42,
    halved: 21,
    page: 200,
  })
})

/** npm answers with a list, or from version 12 on with an object by package. */
function filenames(json: string): string[] {
  const packed: unknown = JSON.parse(json)
  return Object.values(packed as object).map(({ filename }: { filename: string }) => filename)
}

/** The project must not find the sources by the condition that the tests resolve them with. */
function withoutConditions(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, DO_API_KEY: __, DATABASE_URL: ___, ...env } = process.env
  return env
}
