import type { Sql } from 'postgres'

/** What executes single statements. */
export type StatementClient = Pick<Sql, 'unsafe'>

/** Executes statements over connections of its own choice. */
export interface WarmClient extends StatementClient {
  /** Whether none of the warm connections has anything to do. */
  isIdle(): boolean
}

/**
 * A connection is given more while what it has in hand is no larger, in characters of parameters: a small statement is done sooner
 * behind another, where the caches are warm, than over a connection of its own; large ones keep two cores busy.
 */
const ROOM = 60_000

/** A connection that has not answered for this time waits for somebody's lock, or has lost its way. */
const SLOW_MS = 250

/**
 * Executes a statement over the first of these connections that has room, else over the others. postgres.js gives its
 * connections work in turn, so that a lone caller would find another backend for each statement, whose caches have cooled: a step
 * of a workflow took a sixth longer. A connection that does not answer is passed over.
 */
export function preferring(warm: readonly StatementClient[], others: StatementClient): WarmClient {
  const connections = warm.map((client) => new WarmConnection(client))
  const unsafe: StatementClient['unsafe'] = (text, parameters, options) => {
    const size = sizeOf(parameters)
    const connection = connections.find((one) => one.hasRoomFor(size))
    if (!connection) return others.unsafe(text, parameters, options)
    const statement = connection.client.unsafe(text, parameters, options)
    connection.given(size)
    const done = () => connection.answered(size)
    statement.then(done, done)
    return statement as never
  }
  return { unsafe, isIdle: () => connections.every(({ statements }) => statements === 0) }
}

function sizeOf(parameters: readonly unknown[] = []): number {
  let size = 0
  for (const parameter of parameters) if (typeof parameter === 'string') size += parameter.length
  return size
}

class WarmConnection {
  readonly client: StatementClient
  /** What it has in hand. */
  statements = 0
  private size = 0
  /** When it was last given something while idle, or last answered. */
  private movedMs = 0

  constructor(client: StatementClient) {
    this.client = client
  }

  hasRoomFor(size: number): boolean {
    return this.statements === 0 || (this.size + size <= ROOM && performance.now() - this.movedMs < SLOW_MS)
  }

  given(size: number): void {
    if (this.statements === 0) this.movedMs = performance.now()
    this.statements++
    this.size += size
  }

  answered(size: number): void {
    this.statements--
    this.size -= size
    this.movedMs = performance.now()
  }
}

/** A statement that was in hand when its connection ended is given up after this time: it should have failed at once. */
const ECHO_MS = 50

/**
 * The statements that a connection has in hand. postgres.js (3.4.9) forgets one that it is given between the connection's reset and its
 * end: it would never be answered, nor its connection be used again.
 */
export class StatementsInHand {
  private readonly given = new Set<(error: Error) => void>()

  /** The same client; what it does not answer fails once it is `lost`. */
  over(client: StatementClient): StatementClient {
    const unsafe: StatementClient['unsafe'] = (text, parameters, options) => {
      const statement = client.unsafe(text, parameters, options)
      return new Promise((resolve, reject) => {
        this.given.add(reject)
        statement.then(resolve, reject).finally(() => this.given.delete(reject))
      }) as never
    }
    return { unsafe }
  }

  /** The connection has ended. What is given to the client from now on waits for the next. */
  lost(): void {
    const before = [...this.given]
    if (before.length === 0) return
    const giveUp = () => {
      const error = Object.assign(new Error('The connection ended, and the statement was lost'), {
        code: 'CONNECTION_CLOSED',
      })
      for (const reject of before) if (this.given.delete(reject)) reject(error)
    }
    setTimeout(giveUp, ECHO_MS).unref()
  }
}
