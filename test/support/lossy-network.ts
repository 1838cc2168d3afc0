import { type AddressInfo, createServer, connect as dial } from 'node:net'
import { onTestFinished } from 'vitest'

/** A network between the server and a service, which loses answers as the test says. Closed when the test ends. */
export interface LossyNetwork {
  /** The service's address through the network. */
  readonly url: string
  /** Answers that were lost: the service had given them, and nobody got them. */
  readonly lost: number
}

/** @param loses whether the next answer is lost. */
export async function lossyNetwork(serviceUrl: string, loses: () => boolean): Promise<LossyNetwork> {
  const { hostname, port } = new URL(serviceUrl)
  let lost = 0
  const server = createServer((client) => {
    const service = dial(Number(port), hostname)
    client.pipe(service)
    service.on('data', (chunk) => {
      if (loses()) {
        lost++
        client.resetAndDestroy()
      } else client.write(chunk)
    })
    for (const [socket, other] of [
      [client, service],
      [service, client],
    ] as const)
      socket.on('error', () => {}).on('close', () => other.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    get lost() {
      return lost
    },
  }
}
