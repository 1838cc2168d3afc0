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

/** What is still in hand when its connection ends is given up after this time: it should have failed at once. */
const ECHO_MS = 50

/**
 * Executes a statement over the first of these connections that has room, else over the others. postgres.js gives its
 * connections work in turn, so that a lone caller would find another backend for each statement, whose caches have cooled: a step
 * of a workflow took a sixth longer. A connection that does not answer is passed over.
 */
export function preferring(connections: readonly WarmConnection[], others: StatementClient): WarmClient {
  const unsafe: StatementClient['unsafe'] = (text, parameters, options) => {
    const size = sizeOf(parameters)
    const connection = connections.find((one) => one.hasRoomFor(size))
    if (!connection) return others.unsafe(text, parameters, options)
    return connection.execute(size, text, parameters, options) as never
  }
  return { unsafe, isIdle: () => connections.every((connection) => connection.isIdle()) }
}

function sizeOf(parameters: readonly unknown[] = []): number {
  let size = 0
  for (const parameter of parameters) if (typeof parameter === 'string') size += parameter.length
  return size
}

interface InHand {
  readonly size: number
  readonly reject: (error: Error) => void
}

/**
 * One connection, with the statements that it has in hand. postgres.js (3.4.9) forgets one that it is given between the connection's
 * reset and its end: it would never be answered, nor its connection be used again.
 */
export class WarmConnection {
  private readonly client: StatementClient
  private readonly inHand = new Set<InHand>()
  private size = 0
  /** When it was last given something while idle, or last answered. */
  private movedMs = 0

  constructor(client: StatementClient) {
    this.client = client
  }

  isIdle(): boolean {
    return this.inHand.size === 0
  }

  hasRoomFor(size: number): boolean {
    return this.isIdle() || (this.size + size <= ROOM && performance.now() - this.movedMs < SLOW_MS)
  }

  /** Settles as the statement does, or fails some time after the connection was `lost`. */
  execute(size: number, ...statement: Parameters<StatementClient['unsafe']>): Promise<unknown> {
    const answer = this.client.unsafe(...statement)
    if (this.isIdle()) this.movedMs = performance.now()
    this.size += size
    return new Promise((resolve, reject) => {
      const one = { size, reject }
      this.inHand.add(one)
      const settle = (settled: () => void) => {
        // before whoever waits goes on: it may have the next one at hand
        this.release(one)
        settled()
      }
      answer.then(
        (rows) => settle(() => resolve(rows)),
        (error) => settle(() => reject(error)),
      )
    })
  }

  /** The connection has ended. What it is given from now on waits for the next. */
  lost(): void {
    const before = [...this.inHand]
    if (before.length === 0) return
    const giveUp = () => {
      const error = Object.assign(new Error('The connection ended, and the statement was lost'), {
        code: 'CONNECTION_CLOSED',
      })
      for (const one of before) if (this.release(one)) one.reject(error)
    }
    setTimeout(giveUp, ECHO_MS).unref()
  }

  /** Whether it was still in hand. */
  private release(one: InHand): boolean {
    if (!this.inHand.delete(one)) return false
    this.size -= one.size
    this.movedMs = performance.now()
    return true
  }
}
