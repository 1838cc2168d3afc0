import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

/**
 * The least client of WebSocket that these servers need: text frames that are not fragmented. It reads a frame in a
 * fraction of the time that a full client takes, so that on two cores it is the servers that are measured.
 */
export interface TextSocket {
  send(text: string): void
  close(): void
}

export function openSocket(url: URL, received: (text: string) => void): Promise<TextSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname)
    socket.setNoDelay(true)
    let rest: Buffer | undefined
    let open = false
    socket.on('error', reject)
    socket.on('connect', () => socket.write(handshake(url)))
    socket.on('data', (chunk: Buffer) => {
      let bytes = rest ? Buffer.concat([rest, chunk]) : chunk
      if (!open) {
        const end = bytes.indexOf('\r\n\r\n')
        if (end < 0) {
          rest = bytes
          return
        }
        bytes = bytes.subarray(end + 4)
        open = true
        resolve({ send: (text) => socket.write(frame(1, Buffer.from(text))), close: () => socket.destroy() })
      }
      const left = eachFrame(bytes, socket, received)
      rest = left.length > 0 ? left : undefined
    })
  })
}

function handshake({ host, pathname }: URL): string {
  const lines = [
    `GET ${pathname} HTTP/1.1`,
    `Host: ${host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: graphql-transport-ws',
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** Calls `received` with each whole text; answers with the bytes of a frame that has only begun. */
function eachFrame(bytes: Buffer, socket: Socket, received: (text: string) => void): Buffer {
  let at = 0
  while (bytes.length - at >= 2) {
    const opcode = bytes[at]! & 15
    let length = bytes[at + 1]! & 127
    let begin = at + 2
    if (length === 126) {
      if (bytes.length < at + 4) break
      length = bytes.readUInt16BE(at + 2)
      begin = at + 4
    } else if (length === 127) {
      if (bytes.length < at + 10) break
      length = bytes.readUIntBE(at + 4, 6)
      begin = at + 10
    }
    if (bytes.length < begin + length) break
    if (opcode === 1) received(bytes.toString('latin1', begin, begin + length))
    else if (opcode === 9) socket.write(frame(10, bytes.subarray(begin, begin + length)))
    at = begin + length
  }
  return bytes.subarray(at)
}

/** A client's frames are masked; with zeros, which change nothing. */
function frame(opcode: number, payload: Buffer): Buffer {
  const head = payload.length < 126 ? Buffer.alloc(6) : Buffer.alloc(8)
  head[0] = 0x80 | opcode
  if (payload.length < 126) head[1] = 0x80 | payload.length
  else {
    head[1] = 0x80 | 126
    head.writeUInt16BE(payload.length, 2)
  }
  return Buffer.concat([head, payload])
}
