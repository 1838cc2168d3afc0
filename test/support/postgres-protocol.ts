/** As much of the Postgres protocol, version 3, as it takes to tell which statement goes by. */

export interface Message {
  /** The letter of the protocol; empty for what opens a connection, which has none. */
  readonly type: string
  readonly bytes: Buffer
}

/** The version that a startup message names; requests for encryption and cancels name others. */
const STARTUP = 196_608

/** Cuts a stream of bytes into messages. */
export class Frames {
  private rest: Buffer = Buffer.alloc(0)
  private starting: boolean

  /** @param startup whether the stream begins with messages without a letter, as a client's does. */
  constructor({ startup }: { startup: boolean }) {
    this.starting = startup
  }

  read(chunk: Buffer, each: (message: Message) => void): void {
    this.rest = Buffer.concat([this.rest, chunk])
    for (;;) {
      const letters = this.starting ? 0 : 1
      if (this.rest.length < letters + 4) return
      const length = letters + this.rest.readInt32BE(letters)
      if (this.rest.length < length) return
      const bytes = this.rest.subarray(0, length)
      this.rest = this.rest.subarray(length)
      if (this.starting && bytes.readInt32BE(4) === STARTUP) this.starting = false
      each({ type: letters === 0 ? '' : String.fromCharCode(bytes[0]!), bytes })
    }
  }
}

/**
 * The text of the statement that a client's message executes; `undefined` for other messages.
 * @param known the connection's prepared statements by name: a Parse adds one, a Bind executes one.
 */
export function statementOf({ type, bytes }: Message, known: Map<string, string>): string | undefined {
  if (type === 'Q') return textAt(bytes, 5)
  if (type === 'P') {
    const name = textAt(bytes, 5)
    known.set(name, textAt(bytes, 5 + Buffer.byteLength(name) + 1))
  }
  if (type !== 'B') return undefined
  const portal = textAt(bytes, 5)
  return known.get(textAt(bytes, 5 + Buffer.byteLength(portal) + 1))
}

function textAt(bytes: Buffer, start: number): string {
  return bytes.toString('utf8', start, bytes.indexOf(0, start))
}
