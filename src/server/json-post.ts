import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { type DocumentNode, type ExecutionResult, getOperationAST } from 'graphql'
import { processRegularResult } from 'graphql-yoga'
import type { Executor } from '../executor/executor.ts'
import { createContext } from '../schema/context.ts'
import type { Documents } from './documents.ts'
import type { GraphqlServer, RequestContext } from './graphql.ts'

/** Answers one request to /graphql. */
export type GraphqlHandler = (req: IncomingMessage, res: ServerResponse, context: RequestContext) => Promise<void>

/**
 * The short path: one query or mutation in a plain JSON POST, whose document was validated before. It is executed by the
 * functions of yoga, with its plugins, and without its requests and responses. Everything else is yoga's, also all that is
 * wrong with a request: so an answer is the same whichever way it took.
 */
export function shortPath(graphql: GraphqlServer, documents: Documents, executor: Executor): GraphqlHandler {
  const { schema, execute } = graphql.getEnveloped()
  return async (req, res, context) => {
    const answerType = isPlainJsonPost(req) ? answerTypeOf(req.headers.accept) : undefined
    if (answerType === undefined) return graphql(req, res, context)
    const body = await readBody(req)
    // the client has gone
    if (body === undefined) return
    const operation = operationOf(body, documents)
    if (!operation) return graphql(unread(req, body), res, context)
    const contextValue = createContext(executor, context.actor, () => closing(res))
    const result: ExecutionResult = await execute({ schema, contextValue, ...operation })
    if (result.errors) await sendErrors(graphql, result, answerType, res)
    else send(res, 200, { 'content-type': `${answerType}; charset=utf-8` }, JSON.stringify(result))
  }
}

/** Aborted when the connection closes before the answer is out. Made for who asks: few operations wait for long. */
function closing(res: ServerResponse): AbortSignal {
  const gone = new AbortController()
  res.once('close', () => {
    if (!res.writableFinished) gone.abort()
  })
  if (res.destroyed) gone.abort()
  return gone.signal
}

function isPlainJsonPost({ method, headers }: IncomingMessage): boolean {
  const type = headers['content-type']
  const isJson = type === 'application/json' || type?.startsWith('application/json;')
  return isJson === true && method === 'POST' && headers['content-length'] !== '0'
}

/** What the first type of an Accept header asks for; `undefined` for anything unusual. */
function answerTypeOf(accept = '*/*'): string | undefined {
  const [first = ''] = accept.split(',', 1)
  if (first.includes('charset')) return undefined
  switch (first.split(';', 1)[0]) {
    case '*/*':
    case 'application/json':
      return 'application/json'
    case 'application/graphql-response+json':
      return 'application/graphql-response+json'
    default:
      return undefined
  }
}

/** The text of a body of known length; `undefined` if the client breaks off. */
function readBody(req: IncomingMessage): Promise<string | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk) => chunks.push(chunk))
    req.once('end', () => resolve((chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))?.toString()))
    req.once('error', () => resolve(undefined))
  })
}

/** A request whose body can be read, as it was. (As `req.body` yoga would take it too, and list the index of each character.) */
function unread({ method, url, headers, socket }: IncomingMessage, body: string) {
  return Object.assign(Readable.from([Buffer.from(body)]), { method, url, headers, socket })
}

interface Operation {
  readonly document: DocumentNode
  readonly operationName: string | undefined
  readonly variableValues: Record<string, unknown> | undefined
}

/** What a body asks for, where that is beyond doubt: a known document, an operation of it, variables, and nothing else. */
function operationOf(body: string, documents: Documents): Operation | undefined {
  const params = parseObject(body)
  if (!params || !Object.keys(params).every((name) => PARAMS.has(name))) return undefined
  const { query, variables, operationName } = params
  if (typeof query !== 'string' || !isObject(variables ?? {})) return undefined
  const document = documents.getValid(query)
  const name = typeof operationName === 'string' ? operationName : undefined
  if (!document || (operationName != null && name === undefined)) return undefined
  const operation = getOperationAST(document, name)?.operation
  if (operation !== 'query' && operation !== 'mutation') return undefined
  return { document, operationName: name, variableValues: variables as Operation['variableValues'] }
}

const PARAMS: ReadonlySet<string> = new Set(['query', 'variables', 'operationName'])

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Errors decide on the status and on headers: yoga knows the rules. */
async function sendErrors(
  { fetchAPI }: GraphqlServer,
  result: ExecutionResult,
  answerType: string,
  res: ServerResponse,
): Promise<void> {
  const response = processRegularResult(result, fetchAPI, answerType)
  send(res, response.status, Object.fromEntries(response.headers), await response.text())
}

function send(res: ServerResponse, status: number, headers: Record<string, string>, body: string): void {
  res.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body)
}
