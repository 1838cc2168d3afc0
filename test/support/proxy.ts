import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { Frames, type Message, statementOf } from './postgres-protocol.ts'

/** A network between servers and Postgres that loses what a test tells it to lose. Closed when the test ends. */
export interface DatabaseProxy {
  /** The database's address through the proxy, for `databaseUrl` or DATABASE_URL. */
  readonly url: string
  /** Cuts every open connection. New ones are let through. */
  cutAll(): void
  /** While on, new connections are refused. Open ones go on. */
  refuse(on: boolean): void
  /** While on, nothing that Postgres says arrives. Turned off, the connections that missed something are cut. */
  swallowServer(on: boolean): void
  /**
   * The next statement whose text matches reaches Postgres and is carried out, and its answer is lost: the connection is cut
   * as soon as Postgres has answered. Resolves then. A statement outside of a transaction, and COMMIT, is committed by then.
   */
  loseAnswer(statement: RegExp): Promise<void>
  /** The next statement whose text matches never reaches Postgres: the connection is cut in its place. Resolves then. */
  loseRequest(statement: RegExp): Promise<void>
  /** The next statement whose text matches is held back, with all that follows on its connection. Resolves then. */
  holdRequest(statement: RegExp): Promise<HeldRequest>
  /** Resolves when a statement whose text matches is next sent. */
  sent(statement: RegExp): Promise<void>
}

interface HeldRequest {
  release(): void
  cut(): void
}

type Fate = 'pass' | 'hold' | 'lose-request' | 'lose-answer'

interface Trap {
  readonly statement: RegExp
  readonly fate: Fate
  readonly sprung: (held: HeldRequest) => void
}

/** @param databaseUrl over TCP or a Unix socket (`?host=/folder`). */
export async function startProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const traps: Trap[] = []
  const links = new Set<Link>()
  let refusing = false
  let swallowing = false
  const server = createServer((client) => {
    if (refusing) return void client.destroy()
    const link = new Link(client, dialDatabase(databaseUrl), traps, () => swallowing)
    links.add(link)
    client.once('close', () => links.delete(link))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (which: (link: Link) => boolean) => {
    for (const link of [...links].filter(which)) link.cut()
  }
  onTestFinished(() => {
    server.close()
    cut(() => true)
  })
  const trap = (statement: RegExp, fate: Fate) =>
    new Promise<HeldRequest>((sprung) => traps.push({ statement, fate, sprung }))
  return {
    url: urlAt(databaseUrl, (server.address() as AddressInfo).port),
    cutAll: () => cut(() => true),
    refuse(on) {
      refusing = on
    },
    swallowServer(on) {
      swallowing = on
      if (!on) cut(({ missed }) => missed)
    },
    loseAnswer: async (statement) => void (await trap(statement, 'lose-answer')),
    loseRequest: async (statement) => void (await trap(statement, 'lose-request')),
    holdRequest: (statement) => trap(statement, 'hold'),
    sent: async (statement) => void (await trap(statement, 'pass')),
  }
}

/** One connection, read message by message in both directions. */
class Link {
  /** Something that Postgres said was not passed on. */
  missed = false
  private readonly statements = new Map<string, string>()
  private readonly requests = new Frames({ startup: true })
  private readonly answers = new Frames({ startup: false })
  /** Requests that Postgres closes with ReadyForQuery, and how many it has closed. The start of a session is the first. */
  private asked = 1
  private answered = 0
  /** The answer that is to be lost. */
  private losing: { answer: number; trap: Trap } | undefined
  private queue: Message[] | undefined
  private readonly client: Socket
  private readonly server: Socket
  private readonly traps: Trap[]
  private readonly swallowing: () => boolean

  constructor(client: Socket, server: Socket, traps: Trap[], swallowing: () => boolean) {
    this.client = client
    this.server = server
    this.traps = traps
    this.swallowing = swallowing
    client.on('data', (chunk) => this.requests.read(chunk, (message) => this.request(message)))
    server.on('data', (chunk) => this.answers.read(chunk, (message) => this.answer(message)))
    for (const socket of [client, server]) {
      // messages are passed on one by one: without this, each waits 40 ms for the acknowledgement of the one before
      socket.setNoDelay(true)
      socket.on('error', () => {}).on('close', () => this.cut())
    }
  }

  cut(): void {
    this.client.destroy()
    this.server.destroy()
  }

  private request(message: Message): void {
    if (this.queue) return void this.queue.push(message)
    const text = statementOf(message, this.statements)
    const trap = text === undefined ? undefined : this.takeTrap(text)
    if (trap?.fate === 'lose-request') this.cut()
    if (trap?.fate === 'lose-answer') this.losing = { answer: this.asked + 1, trap }
    if (trap?.fate === 'hold') this.queue = [message]
    if (trap && trap.fate !== 'lose-answer') trap.sprung({ release: () => this.release(), cut: () => this.cut() })
    if (!this.queue) this.forward(message)
  }

  private forward({ type, bytes }: Message): void {
    if (type === 'Q' || type === 'S') this.asked++
    this.server.write(bytes)
  }

  private release(): void {
    const queue = this.queue ?? []
    this.queue = undefined
    for (const message of queue) this.forward(message)
  }

  private answer({ type, bytes }: Message): void {
    const lost = this.losing !== undefined && this.answered === this.losing.answer - 1
    if (type === 'Z') this.answered++
    if (lost || this.swallowing()) this.missed = true
    else this.client.write(bytes)
    if (!lost || type !== 'Z') return
    this.cut()
    this.losing?.trap.sprung({ release() {}, cut() {} })
  }

  private takeTrap(text: string): Trap | undefined {
    const at = this.traps.findIndex(({ statement }) => statement.test(text))
    return at < 0 ? undefined : this.traps.splice(at, 1)[0]
  }
}

export function dialDatabase(databaseUrl: string): Socket {
  const url = new URL(databaseUrl)
  const folder = url.searchParams.get('host')
  const port = url.port || '5432'
  return folder?.startsWith('/') ? dial(`${folder}/.s.PGSQL.${port}`) : dial(Number(port), url.hostname)
}

export function urlAt(databaseUrl: string, port: number): string {
  const url = new URL(databaseUrl)
  url.searchParams.delete('host')
  url.hostname = '127.0.0.1'
  url.port = String(port)
  return url.href
}
