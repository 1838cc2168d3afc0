/** The services of the benchmark, in a process of their own: one that only answers, one that verifies and remembers. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createActionHandler, toNodeListener } from '../sdk/src/service/index.ts'

const [secret = ''] = process.argv.slice(2)

const bare: RequestListener = (req, res) => {
  req.resume().on('end', () => res.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}'))
}
const actions = Object.fromEntries(['verified', 'callback'].map((name) => [name, { run: () => ({ ok: true }) }]))

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

const urls = {
  bare: await listen(bare),
  handler: await listen(toNodeListener(createActionHandler({ secret, actions }))),
}
console.log(JSON.stringify(urls))
// whoever started this process holds its stdin
process.stdin.resume().on('end', () => process.exit(0))
