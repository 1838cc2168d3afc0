import type { EventRow } from '../db/rows.ts'
import type { EventStream } from '../events/event-stream.ts'
import type { Audience, Audiences } from './audience.ts'
import type { ClientSocket } from './client-socket.ts'

/**
 * Sends the events of one stream to one subscriber. To graphql-ws it is an iteration that yields nothing and lasts as long as the
 * stream: the protocol stays there, and an event costs no execution, no serialisation and no promise of its own.
 */
export class EventDelivery implements AsyncIterableIterator<never> {
  private left = false
  private readonly prefix: string
  private readonly stream: EventStream
  private readonly audience: Audience
  private readonly socket: ClientSocket
  private readonly audiences: Audiences

  /** @param id of the operation, which the client chose. */
  constructor(id: string, stream: EventStream, audience: Audience, socket: ClientSocket, audiences: Audiences) {
    this.prefix = `{"id":${JSON.stringify(id)},"type":"next","payload":`
    this.stream = stream
    this.audience = audience
    this.socket = socket
    this.audiences = audiences
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<never>> {
    try {
      do {
        for (let event = this.stream.take(); event; event = this.stream.take()) {
          const sent = this.deliver(event)
          if (sent) await sent
        }
      } while (await this.stream.more())
      return { done: true, value: undefined }
    } finally {
      this.end()
    }
  }

  async return(): Promise<IteratorResult<never>> {
    await this.stream.return()
    this.end()
    return { done: true, value: undefined }
  }

  /** A promise only where the event has to wait, for its answer or for room. */
  private deliver(event: EventRow): Promise<void> | undefined {
    const answer = this.audience.answer(event)
    if (typeof answer !== 'string') return answer.then((text) => this.push(text))
    return this.push(answer)
  }

  private push(answer: string): Promise<void> | undefined {
    // nothing may follow once the client has completed the operation
    if (!this.left) this.socket.push(`${this.prefix}${answer}}`)
    return this.socket.isFull ? this.socket.hasRoom() : undefined
  }

  private end(): void {
    if (this.left) return
    this.left = true
    this.audiences.leave(this.audience)
  }
}
