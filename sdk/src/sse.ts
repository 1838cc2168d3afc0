/** One message of a stream of server-sent events. */
export interface SseMessage {
  /** `message` when the stream names none. */
  readonly event: string
  readonly data: string
}

/**
 * Takes a stream of server-sent events in pieces cut anywhere, and gives the messages that are complete. A message is
 * complete at its blank line; what a broken connection leaves behind is no message.
 *
 * It differs from a browser's EventSource in one point: a message that has a name and no data counts, as the protocol of
 * GraphQL over SSE allows for `complete`.
 */
export class SseParser {
  // strips a byte order mark and holds back the first bytes of a character cut in two
  readonly #decoder = new TextDecoder()
  /** The beginning of a line whose end has not arrived. */
  #line = ''
  #afterCr = false
  #event = ''
  #data: string[] = []

  push(bytes: Uint8Array): SseMessage[] {
    const messages: SseMessage[] = []
    const text = this.#decoder.decode(bytes, { stream: true })
    if (text === '') return messages
    // a CR has ended its line already; the LF that belongs to it may come with the next piece
    let from = this.#afterCr && text.startsWith('\n') ? 1 : 0
    this.#afterCr = text.endsWith('\r')
    for (const end of text.matchAll(/\r\n|\r|\n/g)) {
      if (end.index < from) continue
      const message = this.#endLine(this.#line + text.slice(from, end.index))
      if (message) messages.push(message)
      this.#line = ''
      from = end.index + end[0].length
    }
    this.#line += text.slice(from)
    return messages
  }

  #endLine(line: string): SseMessage | undefined {
    if (line === '') return this.#endMessage()
    const colon = line.indexOf(':')
    if (colon === 0) return undefined // a comment: the server's sign of life
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') this.#event = value
    else if (field === 'data') this.#data.push(value)
    return undefined
  }

  #endMessage(): SseMessage | undefined {
    const empty = this.#event === '' && this.#data.length === 0
    const message = { event: this.#event || 'message', data: this.#data.join('\n') }
    this.#event = ''
    this.#data = []
    return empty ? undefined : message
  }
}
