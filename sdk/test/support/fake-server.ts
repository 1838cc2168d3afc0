import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface FakeRequest {
  readonly query: string
  readonly variables: { input: Record<string, unknown> } & Record<string, unknown>
  readonly headers: IncomingHttpHeaders
  /** Resolves when the client has hung up or the answer is complete. */
  readonly closed: Promise<void>
}

/** Answers the request number `n` (from 0) on a real socket, in any way that a server or a network can. */
export type Handler = (request: FakeRequest, response: ServerResponse, n: number) => void | Promise<void>

/** A server that lives as long as the test. */
export async function fakeServer(handle: Handler): Promise<{ url: string; requests: FakeRequest[] }> {
  const requests: FakeRequest[] = []
  const server = createServer(async (message, response) => {
    const closed = new Promise<void>((resolve) => response.once('close', () => resolve()))
    const chunks: Buffer[] = []
    for await (const chunk of message) chunks.push(chunk)
    const request = { ...JSON.parse(Buffer.concat(chunks).toString()), headers: message.headers, closed }
    requests.push(request)
    await handle(request, response, requests.length - 1)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`, requests }
}

/** A port that nobody listens on. */
export async function deadUrl(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}/graphql`
}

export function json(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

/** The payload of any mutation that starts or changes a run. */
export function payload(field: string, run: object, replayed = false): object {
  return { data: { [field]: { __typename: 'Payload', replayed, run } } }
}

export function wireRun(changes: object = {}): Record<string, unknown> {
  return {
    __typename: 'ActionRun',
    id: 'run_1',
    name: 'greet',
    status: 'SUCCEEDED',
    idempotencyKey: null,
    params: {},
    result: { greeting: 'hello' },
    error: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    startedAt: null,
    finishedAt: null,
    lastSeq: 1,
    paused: false,
    stepKey: null,
    stepIndex: null,
    ...changes,
  }
}

export function wireEvent(seq: number, changes: object = {}): Record<string, unknown> {
  return { runId: 'run_1', seq, at: '2026-01-01T00:00:00.000Z', step: null, from: 'QUEUED', to: 'RUNNING', ...changes }
}

/** Begins a stream of events as the server does, with a sign of life. */
export function openStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n')
}

export function next(...events: object[]): string {
  return events.map((event) => `event: next\ndata: ${JSON.stringify({ data: { runEvents: event } })}\n\n`).join('')
}

export const COMPLETE = 'event: complete\ndata:\n\n'
