/**
 * What the GraphQL layer costs above a hand-written JSON endpoint: `npm run bench:graphql`. Each contender serves from a
 * process of its own and answers the same mutation from memory, without the executor; the figure is that process's CPU time
 * per request. These machines are shared: read the ratios.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { BENCH_KEY } from './bench-key.ts'
import { BENCH_QUERY, CONTENDERS, type Contender } from './graphql-server.ts'
import { median, round } from './measure.ts'
import { PARAMS } from './noop.ts'

const [clients, ms, rounds] = [32, 1_500, 3]
const BATCH = 1_000
const input = { name: 'noop', params: PARAMS, idempotencyKey: 'a-key-of-36-characters-as-a-uuid-has' }
const one = JSON.stringify({ query: BENCH_QUERY.one, variables: { input } })
const many = JSON.stringify({ query: BENCH_QUERY.many, variables: { inputs: Array(BATCH).fill(input) } })

const servers = new Map<Contender, ChildProcess>()
for (const name of CONTENDERS)
  servers.set(name, fork(new URL('graphql-server.ts', import.meta.url), [name], { execArgv: process.execArgv }))
const urls = new Map<Contender, string>()
for (const [name, server] of servers) urls.set(name, (await once(server, 'message'))[0] as string)

await compare('executeAction', one, clients, 1)
await compare(`executeActions, per input of ${BATCH}`, many, 2, BATCH)
for (const server of servers.values()) server.disconnect()

async function compare(what: string, body: string, clients: number, inputs: number): Promise<void> {
  const measured = new Map<Contender, number[]>(CONTENDERS.map((name) => [name, []]))
  for (const name of CONTENDERS) await microseconds(name, body, clients)
  for (let i = 0; i < rounds; i++)
    for (const name of CONTENDERS) measured.get(name)?.push((await microseconds(name, body, clients)) / inputs)
  const base = median(measured.get('node:http') ?? [])
  console.log(what)
  for (const [name, all] of measured)
    console.log(`  ${name.padEnd(16)} ${median(all).toFixed(1).padStart(7)} µs  ${(median(all) / base).toFixed(2)} ×`)
}

/** The server's CPU time per request. */
async function microseconds(name: Contender, body: string, clients: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  let calls = 0
  const before = await cpu(name)
  await round(() => post(name, agent, body).then(() => void calls++), clients, ms)
  const used = (await cpu(name)) - before
  agent.destroy()
  return used / calls
}

async function cpu(name: Contender): Promise<number> {
  const server = servers.get(name)
  server?.send('cpu')
  return (await once(server as ChildProcess, 'message'))[0] as number
}

function post(name: Contender, agent: Agent, body: string): Promise<string> {
  const headers = {
    authorization: `Bearer ${BENCH_KEY}`,
    // the other JSON type goes the long way, through yoga
    'content-type': name === 'yoga' ? 'application/graphql+json' : 'application/json',
    'content-length': Buffer.byteLength(body),
  }
  return new Promise((resolve, reject) => {
    const sent = request(urls.get(name) ?? '', { method: 'POST', agent, headers }, (answer) =>
      text(answer).then((got) => (got.includes('"SUCCEEDED"') ? resolve(got) : reject(new Error(got))), reject),
    )
    sent.on('error', reject).end(body)
  })
}
