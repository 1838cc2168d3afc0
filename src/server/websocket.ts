import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { CloseCode, handleProtocols, makeServer } from 'graphql-ws'
import type { Logger } from 'pino'
import { WebSocketServer } from 'ws'
import type { ApiKeys } from './api-keys.ts'
import { bearerToken } from './authorization.ts'
import { ClientSocket } from './client-socket.ts'
import type { GraphqlServer } from './graphql.ts'
import { SocketOperations } from './socket-operations.ts'

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
  const server = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes, handleProtocols })
  const protocol = protocolOf(new SocketOperations(graphql, log), keys, log)
  const sockets = new Set<ClientSocket>()
  const upgrade = (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    guard(connection)
    if (request.url?.split('?')[0] !== '/graphql') {
      connection.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
      return
    }
    server.handleUpgrade(request, connection, head, (client) => {
      const socket = new ClientSocket(client, connection)
      sockets.add(socket)
      client.on('close', () => sockets.delete(socket))
      speak(protocol, socket, log)
    })
  }
  http.on('upgrade', upgrade)
  const seconds = setInterval(() => {
    for (const socket of sockets) socket.secondPassed()
  }, 1_000)
  return {
    async stop() {
      http.off('upgrade', upgrade)
      clearInterval(seconds)
      for (const { client } of sockets) client.close(RESTART, 'Service restart')
      const cut = setTimeout(() => {
        for (const { client } of sockets) client.terminate()
      }, CLOSE_MS)
      await new Promise((resolve) => server.close(resolve))
      clearTimeout(cut)
    },
  }
}

/**
 * Node takes its own listener off an upgraded connection: without one, a reset would end the process. In a function of its
 * own, so that the listener does not keep the request for as long as the connection.
 */
function guard(connection: Duplex): void {
  connection.on('error', () => connection.destroy())
}

type Protocol = ReturnType<typeof protocolOf>

function protocolOf(operations: SocketOperations, keys: ApiKeys, log: Logger) {
  return makeServer<Record<string, unknown>, { socket: ClientSocket }>({
    onConnect: async ({ connectionParams, extra: { socket } }) => {
      const { authorization, apiKey } = connectionParams ?? {}
      socket.actor = await keys.identify(typeof apiKey === 'string' ? apiKey : bearerToken(authorization))
      return socket.actor !== undefined
    },
    onSubscribe: ({ extra: { socket } }, id, payload) => operations.begin(socket, id, payload),
    // the enveloped functions mask errors; those of graphql-js would not
    execute: (args) => operations.execute(args),
    subscribe: (args) => operations.subscribe(args),
    onError: (_context, _id, _payload, errors) => log.debug({ errors }, 'an operation over WebSocket failed'),
  })
}

/** Connects a socket with the protocol, until it closes. */
function speak(protocol: Protocol, socket: ClientSocket, log: Logger): void {
  const { client } = socket
  const closed = protocol.opened(
    {
      protocol: client.protocol,
      send: (text) => socket.send(text),
      close: (code, reason) => client.close(code, reason),
      onMessage: (handle) =>
        client.on('message', (data) => {
          handle(String(data)).catch((error) => {
            log.error({ err: error }, 'a message over WebSocket was not handled')
            client.close(CloseCode.InternalServerError, 'Internal server error')
          })
        }),
    },
    { socket },
  )
  // a frame that is none closes the socket
  client.on('error', (error) => log.debug({ err: error }, 'a WebSocket broke'))
  client.on('close', (code, reason) => {
    closed(code, String(reason)).catch((error) => log.error({ err: error }, 'a WebSocket was not let go'))
  })
}
