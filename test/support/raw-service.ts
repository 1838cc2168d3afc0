import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/**
 * A service that speaks as the test says, byte by byte, once the whole head of a request has come. Closed when the test ends.
 * @param answer `connection` counts from 0.
 */
export async function rawService(answer: (socket: Socket, connection: number) => void): Promise<string> {
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    const connection = connections++
    sockets.add(socket)
    socket.on('error', () => {})
    let head = ''
    socket.on('data', (chunk) => {
      const complete = head.includes('\r\n\r\n')
      head += chunk.toString('latin1')
      if (!complete && head.includes('\r\n\r\n')) answer(socket, connection)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** Writes the beginning, and then the same again and again until the other side has gone. */
export function writeForEver(socket: Socket, beginning: string, chunk: string): void {
  socket.write(beginning)
  const timer = setInterval(() => socket.write(chunk), 5)
  socket.on('close', () => clearInterval(timer))
}
