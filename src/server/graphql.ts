import { execute, GraphQLError, Lexer, parse, Source, TokenKind } from 'graphql'
import { createYoga, isPromise, maskError, type Plugin, type YogaServerInstance } from 'graphql-yoga'
import type { Logger } from 'pino'
import { ServiceUnavailableError } from '../core/request-errors.ts'
import { isTransient } from '../db/pg-errors.ts'
import type { Executor } from '../executor/executor.ts'
import { type Context, createContext } from '../schema/context.ts'
import { schema } from '../schema/index.ts'
import { badInput } from '../schema/malformed.ts'
import type { Documents } from './documents.ts'

/** What the HTTP server and the WebSocket server hand in with a request. */
export interface RequestContext {
  readonly actor: string
  /** Called when the answer is a stream of events. */
  readonly onEventStream?: () => void
}

export type GraphqlServer = YogaServerInstance<RequestContext, Context>

/** A document of more tokens is refused by the parser. */
const MAX_TOKENS = 15_000

/** The parser, the validation and the execution are recursive: a deeper document could exhaust the stack. */
const MAX_DEPTH = 200

const MAX_BATCH = 100

/** What is wrong with a document is found again each time: nobody sends one often. */
const FORGETFUL = { get: () => undefined, set() {} }

/** @param documents where parsed documents are kept. */
export function createGraphql(executor: Executor, documents: Documents, log: Logger): GraphqlServer {
  return createYoga<RequestContext, Context>({
    schema,
    context: ({ actor, request }) => createContext(executor, actor, () => request?.signal),
    graphqlEndpoint: '/graphql',
    graphiql: false,
    landingPage: false,
    cors: false,
    multipart: false,
    batching: { limit: MAX_BATCH },
    // Content-Length is checked before yoga sees the request; its own check streams every body and takes twice the time.
    maxRequestBodySize: false,
    maskedErrors: { maskError: (error, message) => maskFault(error, message, log) },
    logging: {
      debug() {},
      info() {},
      warn: (...args) => log.warn(args.join(' ')),
      error: (...args) => log.error(args.join(' ')),
    },
    parserAndValidationCache: { documentCache: documents, errorCache: FORGETFUL },
    plugins: [boundedParser(), announcedStreams(), documents.plugin(), referenceExecutor()],
  })
}

function announcedStreams(): Plugin<object, RequestContext> {
  return {
    onResponse: ({ response, serverContext }) => {
      if (response.headers.get('content-type')?.startsWith('text/event-stream')) serverContext.onEventStream?.()
    },
  }
}

/**
 * Queries and mutations are executed by graphql-js, which takes two thirds of the time of yoga's executor. What could not be
 * executed at all (variables of a wrong type) goes to that one, which says so with the status that the specification wants.
 */
function referenceExecutor(): Plugin {
  return {
    onExecute: ({ executeFn, setExecuteFn }) =>
      setExecuteFn((args) => {
        const result = execute(args)
        return isPromise(result) || 'data' in result ? result : executeFn(args)
      }),
  }
}

function boundedParser(): Plugin {
  return {
    onParse: ({ setParseFn }) =>
      setParseFn((source, options) => {
        checkDepth(typeof source === 'string' ? new Source(source) : source)
        return parse(source, { ...options, maxTokens: MAX_TOKENS })
      }),
  }
}

const OPENING: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L])
const CLOSING: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R])

function checkDepth(source: Source): void {
  const lexer = new Lexer(source)
  let depth = 0
  for (let tokens = 0; tokens <= MAX_TOKENS; tokens++) {
    const { kind } = lexer.advance()
    if (kind === TokenKind.EOF) return
    if (OPENING.has(kind)) depth++
    if (CLOSING.has(kind)) depth--
    if (depth > MAX_DEPTH) throw badInput(`The document is nested deeper than ${MAX_DEPTH} levels`)
  }
}

/** Faults keep no internals; one that passes by itself says so. Every error has a code. */
export function maskFault(error: unknown, message: string, log: Logger): Error {
  const cause = error instanceof GraphQLError ? error.originalError : error
  if (cause instanceof ServiceUnavailableError || isTransient(cause)) {
    const { message: shown } = cause instanceof ServiceUnavailableError ? cause : new ServiceUnavailableError(cause)
    return new GraphQLError(shown, { extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true } })
  }
  if (!(cause instanceof GraphQLError) && cause) log.error({ err: cause }, 'a request failed')
  // false: not even with NODE_ENV=development
  const shown = maskError(error, message, false)
  if (!(shown instanceof GraphQLError)) return shown
  // graphql-js gives none to variables of a wrong type
  shown.extensions.code ??= 'BAD_USER_INPUT'
  return shown
}
