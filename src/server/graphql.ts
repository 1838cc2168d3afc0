import { GraphQLError, parse } from 'graphql'
import { createYoga, maskError, type Plugin, type YogaServerInstance } from 'graphql-yoga'
import type { Logger } from 'pino'
import { ServiceUnavailableError } from '../core/request-errors.ts'
import { isTransient } from '../db/pg-errors.ts'
import type { Executor } from '../executor/executor.ts'
import { type Context, createContext } from '../schema/context.ts'
import { schema } from '../schema/index.ts'

/** What the HTTP server and the WebSocket server hand in with a request. */
export interface RequestContext {
  readonly actor: string
}

export type GraphqlServer = YogaServerInstance<RequestContext, Context>

/** A document of more tokens is refused by the parser, before its depth can exhaust the stack. */
const MAX_TOKENS = 15_000

const MAX_BATCH = 100

export function createGraphql(executor: Executor, log: Logger): GraphqlServer {
  return createYoga<RequestContext, Context>({
    schema,
    context: ({ actor }) => createContext(executor, actor),
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
    plugins: [boundedParser()],
  })
}

function boundedParser(): Plugin {
  return {
    onParse: ({ setParseFn }) => setParseFn((source, options) => parse(source, { ...options, maxTokens: MAX_TOKENS })),
  }
}

/** Faults keep no internals; one that passes by itself says so. */
function maskFault(error: unknown, message: string, log: Logger): Error {
  const cause = error instanceof GraphQLError ? error.originalError : error
  if (cause instanceof ServiceUnavailableError || isTransient(cause)) {
    const shown = new ServiceUnavailableError(cause).message
    return new GraphQLError(shown, { extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true } })
  }
  if (!(cause instanceof GraphQLError) && cause) log.error({ err: cause }, 'a request failed')
  return maskError(error, message)
}
