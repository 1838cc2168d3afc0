import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'

/** A client is asked for a sign of life after so many seconds, and cut when it gives none for as long again. */
const SILENT_SECONDS = 12

/** A connection of one client, over which all its operations go. */
export class ClientSocket {
  /** Who it is, once it has said so. */
  actor: string | undefined
  private silentSeconds = 0
  private corked = false
  private room: Promise<void> | undefined
  readonly client: WebSocket
  private readonly connection: Duplex

  /** @param connection what the client's frames are written to. */
  constructor(client: WebSocket, connection: Duplex) {
    this.client = client
    this.connection = connection
    client.on('pong', () => {
      this.silentSeconds = 0
    })
  }

  /** Sends a text, and resolves when the system has taken it. One that cannot be sent any more is no error. */
  send(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.client.readyState !== this.client.OPEN) return resolve()
      this.client.send(text, (error) => (error ? reject(error) : resolve()))
    })
  }

  /** Sends a text together with all others of this turn of the event loop: each write is a call of the system. */
  push(text: string): void {
    if (!this.corked) {
      this.corked = true
      this.connection.cork()
      process.nextTick(() => this.uncork())
    }
    this.client.send(text)
  }

  /** The client does not take what is sent: whoever would push waits for room. */
  get isFull(): boolean {
    return this.connection.writableNeedDrain
  }

  /** Resolves when the client has taken everything, or has gone. */
  hasRoom(): Promise<void> {
    this.room ??= new Promise((resolve) => {
      const settle = () => {
        this.connection.off('drain', settle).off('close', settle)
        this.room = undefined
        resolve()
      }
      this.connection.on('drain', settle).on('close', settle)
    })
    return this.room
  }

  /** To be called every second: asks a silent client whether it is there, and cuts one that does not answer. */
  secondPassed(): void {
    this.silentSeconds++
    if (this.silentSeconds === SILENT_SECONDS) this.client.ping()
    if (this.silentSeconds === 2 * SILENT_SECONDS) this.client.terminate()
  }

  private uncork(): void {
    this.corked = false
    this.connection.uncork()
  }
}
