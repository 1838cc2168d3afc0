import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttp2 } from 'node:http2'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import * as restate from '@restatedev/restate-sdk'
import { connect, rpc } from '@restatedev/restate-sdk-clients'
import type { Contender, Surroundings } from '../contender.ts'
import { noop, PARAMS } from '../noop.ts'

export const setUp =
  'Its own server with its own storage (RocksDB; its log is written with fsync, as it is by default), one node, defaults otherwise, telemetry off; the handlers in the process of the caller over HTTP/2; called with its client and an idempotency key. A handler of one `ctx.run`; "no step" is a handler that does the work itself. Fan-out: 50 `ctx.run` in `RestatePromise.all`.'

const START_TIMEOUT_MS = 60_000
const POLL_MS = 50

const step = async () => noop()
const service = restate.service({
  name: 'bench',
  handlers: {
    one: (ctx: restate.Context, _: typeof PARAMS) => ctx.run('noop', step),
    none: async (_ctx: restate.Context, _: typeof PARAMS) => noop(),
    async ten(ctx: restate.Context, _: typeof PARAMS) {
      for (let i = 0; i < 10; i++) await ctx.run(`s${i}`, step)
    },
    async fanOut(ctx: restate.Context, _: typeof PARAMS) {
      await ctx.run('first', step)
      await restate.RestatePromise.all(Array.from({ length: 50 }, (_, i) => ctx.run(`each ${i}`, step)))
      await ctx.run('last', step)
    },
  },
})

export async function start({ folder }: Surroundings): Promise<Contender> {
  const endpoint = createHttp2(
    restate.createEndpointHandler({ services: [service], defaultServiceOptions: {}, logger: () => {} }),
  ).listen(0, '127.0.0.1')
  await once(endpoint, 'listening')
  const server = await startServer(folder)
  await register(server.admin, (endpoint.address() as AddressInfo).port)
  const ingress = connect({ url: server.ingress }).serviceClient(service)
  return {
    calls: {
      execute: () => ingress.one(PARAMS, rpc.opts({ idempotencyKey: randomUUID() })),
      'execute, no step': () => ingress.none(PARAMS, rpc.opts({ idempotencyKey: randomUUID() })),
      sequence: () => ingress.ten(PARAMS, rpc.opts({ idempotencyKey: randomUUID() })),
      'fan-out': () => ingress.fanOut(PARAMS, rpc.opts({ idempotencyKey: randomUUID() })),
    },
    oneKey: (key) => ingress.one(PARAMS, rpc.opts({ idempotencyKey: key })),
    async stop() {
      await server.stop()
      endpoint.close()
    },
  }
}

interface Server {
  readonly ingress: string
  readonly admin: string
  stop(): Promise<void>
}

async function startServer(folder: string): Promise<Server> {
  const [ingress, admin, node] = [await freePort(), await freePort(), await freePort()]
  const child = spawn(binary(), ['--no-logo', '--base-dir', join(folder, 'restate'), '--node-name', 'bench'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      RESTATE_LISTEN_MODE: 'tcp',
      RESTATE_BIND_IP: '127.0.0.1',
      RESTATE_BIND_PORT: `${node}`,
      RESTATE_INGRESS__BIND_PORT: `${ingress}`,
      RESTATE_ADMIN__BIND_PORT: `${admin}`,
      RESTATE_DISABLE_TELEMETRY: 'true',
      RESTATE_LOG_FILTER: 'error',
    },
  })
  const ended = once(child, 'exit')
  // whatever ends this process must not leave the server behind
  process.on('exit', () => child.kill('SIGKILL'))
  return {
    ingress: `http://127.0.0.1:${ingress}`,
    admin: `http://127.0.0.1:${admin}`,
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** The package's own program starts a child and answers SIGKILL by leaving it behind: this is that child. */
function binary(): string {
  return createRequire(import.meta.url).resolve(
    `@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`,
  )
}

/** Tells the server where the handlers are, as soon as it listens. */
async function register(admin: string, port: number): Promise<void> {
  const body = JSON.stringify({ uri: `http://127.0.0.1:${port}`, force: true })
  for (const until = Date.now() + START_TIMEOUT_MS; ; ) {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${admin}/deployments`, { method: 'POST', headers, body }).catch(() => undefined)
    if (answer?.ok) return
    if (Date.now() > until) throw new Error(`Restate does not take the handlers: ${await answer?.text()}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  return port
}
