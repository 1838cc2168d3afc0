import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** A signing secret of the tests. */
export const SECRET = `whsec_${Buffer.alloc(32, 'secret').toString('base64')}`
export const OTHER_SECRET = `whsec_${Buffer.alloc(32, 'other').toString('base64')}`

/** What the tests allow: their services are on this machine. */
export const ALLOW_LOCAL = ['127.0.0.1']

/** A service on a free port of this machine, closed when the test ends. */
export async function startService(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** One call as a service sees it. */
export interface SeenCall {
  readonly headers: IncomingMessage['headers']
  readonly text: string
  readonly body: { operation: string; params: unknown; [member: string]: unknown }
}

/** A service that answers each call as the test says, and remembers what it was sent. */
export async function scriptedService(
  answer: (res: ServerResponse, call: SeenCall, index: number) => unknown,
): Promise<{ url: string; calls: SeenCall[] }> {
  const calls: SeenCall[] = []
  const url = await startService(async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const call = { headers: req.headers, text, body: JSON.parse(text) }
    calls.push(call)
    await answer(res, call, calls.length - 1)
  })
  return { url, calls }
}

export function sendJson(res: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) {
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

export function sendProblem(
  res: ServerResponse,
  status: number,
  problem: object,
  headers: Record<string, string> = {},
) {
  sendJson(res, status, problem, { 'content-type': 'application/problem+json', ...headers })
}
