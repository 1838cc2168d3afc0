import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { DEFINITION_SCHEMA } from '../core/definition/json-schema.ts'
import { ServiceUnavailableError } from '../core/request-errors.ts'
import { isTransient } from '../db/pg-errors.ts'
import type { ApiKeys } from './api-keys.ts'
import { bearerToken } from './authorization.ts'
import { allowOrigin } from './cors.ts'
import { sendGraphiql } from './graphiql.ts'
import type { GraphqlHandler } from './json-post.ts'

/** What the HTTP server stands on. */
export interface HttpParts {
  readonly graphql: GraphqlHandler
  readonly keys: ApiKeys
  readonly metrics: Registry
  /** Takes in what services say of actions that they finish later. */
  readonly callbacks: (req: IncomingMessage, res: ServerResponse) => Promise<void>
  readonly corsOrigins: readonly string[]
  /** The largest request, in bytes. */
  readonly maxBodyBytes: number
  /** Whether the database answers. */
  readonly ready: () => Promise<boolean>
  readonly log: Logger
}

export interface HttpServer {
  readonly server: Server
  /** From now on not ready, no new connections, and event streams break off so that their clients reconnect. */
  drain(): void
  /** Breaks event streams off. Cut, not completed: a `complete` would tell the client that the run has ended. */
  cutStreams(): void
  /** Ends what is still open. */
  close(): Promise<void>
}

/**
 * An idle connection is kept for longer than the minute after which load balancers close theirs. The sender of requests should be the one
 * that closes: it sends none meanwhile.
 */
const KEEP_ALIVE_MS = 65_000

export function createHttp(parts: HttpParts): HttpServer {
  const streams = new Set<ServerResponse>()
  let draining = false
  const server = createServer((req, res) => {
    if (draining) res.setHeader('connection', 'close')
    route(parts, req, res, { draining, streams }).catch((error) => {
      if (res.headersSent) res.destroy()
      else if (isTransient(error)) sendUnavailable(res, error)
      else sendError(res, 500, 'INTERNAL_SERVER_ERROR', 'Unexpected error.')
      if (!isTransient(error)) parts.log.error({ err: error }, 'a request failed')
    })
  })
  server.keepAliveTimeout = KEEP_ALIVE_MS
  const cutStreams = () => {
    for (const res of streams) res.destroy()
  }
  return {
    server,
    cutStreams,
    drain() {
      draining = true
      server.close()
      server.closeIdleConnections()
      cutStreams()
    },
    close: () =>
      new Promise((resolve) => {
        const force = setTimeout(() => server.closeAllConnections(), 500)
        server.close(() => {
          clearTimeout(force)
          resolve()
        })
        server.closeIdleConnections()
      }),
  }
}

/** What a workflow given as data may be: for editors, which ask without a key. */
const WORKFLOW_SCHEMA = JSON.stringify(DEFINITION_SCHEMA)

async function route(
  parts: HttpParts,
  req: IncomingMessage,
  res: ServerResponse,
  { draining, streams }: { draining: boolean; streams: Set<ServerResponse> },
): Promise<void> {
  const [pathname = '/'] = (req.url ?? '/').split('?')
  switch (pathname) {
    case '/graphql':
      return graphql(parts, req, res, streams)
    case '/health/live':
      return sendJson(res, 200, { status: 'ok' })
    case '/health/ready': {
      const ready = !draining && (await parts.ready())
      return sendJson(res, ready ? 200 : 503, { status: ready ? 'ok' : draining ? 'stopping' : 'database unavailable' })
    }
    case '/metrics': {
      const text = await parts.metrics.metrics()
      res.writeHead(200, { 'content-type': parts.metrics.contentType }).end(text)
      return
    }
    case '/schemas/workflow.json':
      res.writeHead(200, { 'content-type': 'application/schema+json; charset=utf-8' }).end(WORKFLOW_SCHEMA)
      return
    case '/':
      res.writeHead(302, { location: '/graphql' }).end()
      return
    default:
      if (pathname.startsWith('/callbacks/')) return parts.callbacks(req, res)
      return sendError(res, 404, 'NOT_FOUND', `There is nothing at ${pathname}. The API is at /graphql.`)
  }
}

async function graphql(
  parts: HttpParts,
  req: IncomingMessage,
  res: ServerResponse,
  streams: Set<ServerResponse>,
): Promise<void> {
  allowOrigin(parts.corsOrigins, req, res)
  if (req.method === 'OPTIONS') {
    res.writeHead(204).end()
    return
  }
  const wantsPage = (req.method === 'GET' || req.method === 'HEAD') && req.headers.accept?.includes('text/html')
  if (wantsPage) return sendGraphiql(req, res)
  const actor = await parts.keys.identify(bearerToken(req.headers.authorization))
  if (actor === undefined) {
    res.setHeader('www-authenticate', 'Bearer')
    const hint = 'Send `Authorization: Bearer <key>`; the server printed a key at its first start.'
    return sendError(
      res,
      401,
      'UNAUTHENTICATED',
      req.headers.authorization ? `The API key is not accepted. ${hint}` : `An API key is needed. ${hint}`,
    )
  }
  const refusal = req.method === 'POST' ? bodyProblem(req, parts.maxBodyBytes) : undefined
  if (refusal) return sendError(res, ...refusal)
  const onEventStream = () => {
    streams.add(res)
    res.once('close', () => streams.delete(res))
  }
  await parts.graphql(req, res, { actor, onEventStream })
}

/** A body must be JSON (a form could be sent by any page of the web) and say how long it is. */
function bodyProblem(req: IncomingMessage, maxBytes: number): [number, string, string] | undefined {
  const type = req.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json' && type !== 'application/graphql+json')
    return [415, 'UNSUPPORTED_MEDIA_TYPE', 'Send JSON with `Content-Type: application/json`.']
  const length = Number(req.headers['content-length'])
  if (!Number.isSafeInteger(length)) return [411, 'LENGTH_REQUIRED', 'Send a Content-Length.']
  if (length > maxBytes) return [413, 'PAYLOAD_TOO_LARGE', `The request has ${length} bytes; the limit is ${maxBytes}.`]
  return undefined
}

function sendError(res: ServerResponse, status: number, code: string, message: string): void {
  // an unread body would keep the connection busy
  if (status === 411 || status === 413 || status === 415) res.setHeader('connection', 'close')
  sendJson(res, status, { errors: [{ message, extensions: { code } }] })
}

/** The database did not answer, e.g. when it was asked whose key it is. */
function sendUnavailable(res: ServerResponse, cause: unknown): void {
  const { message } = new ServiceUnavailableError(cause)
  sendJson(res, 503, { errors: [{ message, extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true } }] })
}

function sendJson(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body))
}
