import { type AddressInfo, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { Frames, statementOf } from './postgres-protocol.ts'
import { dialDatabase, urlAt } from './proxy.ts'

/** A door to a database that notes each statement that goes through it. */
export interface StatementLog {
  /** For a server to be started with. */
  readonly databaseUrl: string
  /** The text of each statement that was executed, in order. */
  readonly statements: string[]
}

/** Opens a door that passes everything on as it is. Closed when the test ends. */
export async function logStatements(databaseUrl: string): Promise<StatementLog> {
  const statements: string[] = []
  const sockets = new Set<Socket>()
  const door = createServer((client) => {
    const postgres = dialDatabase(databaseUrl)
    const frames = new Frames({ startup: true })
    const known = new Map<string, string>()
    client.on('data', (chunk) =>
      frames.read(chunk, (message) => {
        const statement = statementOf(message, known)
        if (statement !== undefined) statements.push(statement)
      }),
    )
    client.pipe(postgres)
    postgres.pipe(client)
    for (const [socket, other] of [
      [client, postgres],
      [postgres, client],
    ] as const) {
      sockets.add(socket.setNoDelay(true))
      socket.on('error', () => {}).on('close', () => other.destroy())
    }
  })
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    door.close()
    for (const socket of sockets) socket.destroy()
  })
  return { databaseUrl: urlAt(databaseUrl, (door.address() as AddressInfo).port), statements }
}
