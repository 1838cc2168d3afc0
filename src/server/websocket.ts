import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { GraphQLError } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import type { Logger } from 'pino'
import { WebSocketServer } from 'ws'
import type { ApiKeys } from './api-keys.ts'
import { bearerToken } from './authorization.ts'
import type { GraphqlServer } from './graphql.ts'

/** "Service Restart": clients reconnect, and go on from their cursor. */
const RESTART = 1012

/** A client that does not read never sees the close: it is cut after so many milliseconds. */
const CLOSE_MS = 500

export interface WebSockets {
  /** No new connections; the open ones are told to reconnect. */
  stop(): Promise<void>
}

/** Serves the graphql-transport-ws protocol on /graphql: subscriptions, and queries and mutations too. */
export function serveWebSockets(
  http: Server,
  graphql: GraphqlServer,
  keys: ApiKeys,
  maxMessageBytes: number,
  log: Logger,
): WebSockets {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes })
  const actors = new WeakMap<object, string>()
  const server = useServer(
    {
      onConnect: async ({ connectionParams, extra }) => {
        const { authorization, apiKey } = (connectionParams ?? {}) as Record<string, unknown>
        const actor = await keys.identify(typeof apiKey === 'string' ? apiKey : bearerToken(authorization))
        if (actor === undefined) return false
        actors.set(extra.socket, actor)
        return true
      },
      onSubscribe: async ({ extra }, _id, params) => {
        const actor = actors.get(extra.socket) ?? ''
        const { schema, execute, subscribe, contextFactory, parse, validate } = graphql.getEnveloped({ actor, params })
        const { query, operationName, variables } = params
        try {
          const document = parse(query)
          const errors = validate(schema, document)
          if (errors.length > 0) return errors
          const contextValue = await contextFactory()
          return {
            schema,
            operationName,
            document,
            variableValues: variables,
            contextValue,
            rootValue: { execute, subscribe },
          }
        } catch (error) {
          if (!(error instanceof GraphQLError)) throw error
          // over HTTP yoga says so
          error.extensions.code ??= 'GRAPHQL_PARSE_FAILED'
          return [error]
        }
      },
      // the enveloped functions mask errors; useServer's own would not
      execute: (args) => (args.rootValue as ReturnType<GraphqlServer['getEnveloped']>).execute(args),
      subscribe: (args) => (args.rootValue as ReturnType<GraphqlServer['getEnveloped']>).subscribe(args),
      onError: (_context, _id, _payload, errors) => log.debug({ errors }, 'an operation over WebSocket failed'),
    },
    sockets,
    12_000,
  )
  const upgrade = (request: Parameters<typeof sockets.handleUpgrade>[0], socket: Duplex, head: Buffer) => {
    // node takes its own listener off an upgraded socket: without one, a reset would end the process
    socket.on('error', () => socket.destroy())
    if (request.url?.split('?')[0] !== '/graphql') {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
      return
    }
    sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request))
  }
  http.on('upgrade', upgrade)
  return {
    async stop() {
      http.off('upgrade', upgrade)
      for (const client of sockets.clients) client.close(RESTART, 'Service restart')
      const cut = setTimeout(() => {
        for (const client of sockets.clients) client.terminate()
      }, CLOSE_MS)
      await server.dispose()
      clearTimeout(cut)
    },
  }
}
