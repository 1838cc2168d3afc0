import { allowList } from '../core/http-action/allow-list.ts'
import type { Answer } from '../core/http-action/answer.ts'
import type { HttpTarget } from '../core/http-action/target.ts'
import { Connections, type Resolve } from './connections.ts'
import { exchange } from './exchange.ts'
import { headersOf, type Message } from './message.ts'

/** One call of a service. */
export interface Call {
  readonly target: HttpTarget
  readonly message: Message
  readonly idempotencyKey: string
  /** Over a connection of its own. */
  readonly fresh: boolean
  readonly signal: AbortSignal
}

export interface HttpCallOptions {
  /** The entries of HTTP_ACTIONS_ALLOW. */
  readonly allow: readonly string[]
  readonly maxAnswerBytes: number
  /** Resolves names; the system's resolver when absent. */
  readonly resolve?: Resolve
}

/** Calls services. One for each node. */
export class HttpCalls {
  private readonly connections: Connections
  private readonly maxAnswerBytes: number

  constructor({ allow, maxAnswerBytes, resolve }: HttpCallOptions) {
    this.connections = new Connections(allowList(allow), resolve)
    this.maxAnswerBytes = maxAnswerBytes
  }

  /** Rejects with an `ExchangeError` where no whole answer came. */
  async post({ target, message, idempotencyKey, fresh, signal }: Call): Promise<Answer> {
    const body = JSON.stringify(message)
    return await exchange(this.connections.for(fresh), {
      url: new URL(target.url),
      headers: headersOf(message, idempotencyKey, body, target.secrets, new Date()),
      body,
      timeoutMs: target.timeoutMs,
      maxAnswerBytes: this.maxAnswerBytes,
      signal,
    })
  }

  async close(): Promise<void> {
    await this.connections.close()
  }
}
