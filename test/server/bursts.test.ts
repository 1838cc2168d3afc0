import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { startServerProcess } from '../support/process.ts'
import { until } from '../support/until.ts'

const CALLERS = 1_000

/** What Linux lets any server have in line; elsewhere nothing tells, and it is often less. */
function lineOfKernel(): number {
  return process.platform === 'linux' ? Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8')) : 0
}

test.skipIf(lineOfKernel() < CALLERS)(
  'who connects while the server is busy waits in line: a burst of 1,000 is neither dropped nor reset',
  async () => {
    const server = await startServerProcess('plain-server', { databaseUrl: await testDatabase() })
    const port = Number(new URL(server.url).port)
    await server.freeze()
    let connected = 0
    const answers = Promise.allSettled(
      Array.from({ length: CALLERS }, () => {
        const socket = connect(port, '127.0.0.1', () => connected++)
        socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
        return text(socket)
      }),
    )
    // the kernel accepts on behalf of a process that stands still, as far as its line goes
    await until(() => connected === CALLERS)
    server.thaw()
    for (const answer of await answers)
      expect(answer).toEqual({ status: 'fulfilled', value: expect.stringMatching(/^HTTP\/1\.1 200 /) })
  },
)
