import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { keyedRunId, showRunId } from '../../src/core/ids.ts'
import { type Action, action } from '../../src/index.ts'
import { latch, settled } from '../support/runs.ts'
import { API_KEY, EXECUTE, startTestServer, type TestServer } from '../support/server.ts'

/** An action that a test lets finish, and a count of what it did. */
function gated(): { charge: Action; charges: string[]; began: Promise<void>; finish: () => void } {
  const [began, finish] = [latch(), latch()]
  const charges: string[] = []
  const charge = action('charge', {
    run: async ({ idempotencyKey, signal }) => {
      began.open()
      await finish.opened
      signal.throwIfAborted()
      return { receipt: charges.push(idempotencyKey) }
    },
  })
  return { charge, charges, began: began.opened, finish: () => finish.open() }
}

const INPUT = { name: 'charge', idempotencyKey: 'invoice-1' }

/** Sends a call and is ready to hang up on it. */
async function callAndHangUp({ url }: TestServer): Promise<() => Promise<void>> {
  const { hostname, port, pathname, host } = new URL(url)
  const socket = connect(Number(port), hostname)
  const body = JSON.stringify({ query: EXECUTE, variables: { input: INPUT } })
  const head = [
    `POST ${pathname} HTTP/1.1`,
    `Host: ${host}`,
    'Content-Type: application/json',
    `Authorization: Bearer ${API_KEY}`,
    `Content-Length: ${body.length}`,
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  return async () => {
    const closed = once(socket, 'close')
    socket.resetAndDestroy()
    await closed
  }
}

test('25: the client disconnects in the middle: the run completes, and a replay has its outcome', async () => {
  const { charge, charges, began, finish } = gated()
  const server = await startTestServer([charge])
  const hangUp = await callAndHangUp(server)
  await began
  await hangUp()
  // back while it is still under way: it attaches
  const replay = server.execute(INPUT)
  finish()
  const { run, replayed } = await replay
  expect(replayed).toBe(true)
  expect(run).toMatchObject({ status: 'SUCCEEDED', result: { receipt: 1 }, attempts: [{ number: 1 }] })
  expect(await server.execute(INPUT)).toMatchObject({ replayed: true, run: { id: run?.id, result: { receipt: 1 } } })
  expect(charges).toEqual([run?.id])
})

test('26: the client never returns: the run completes all the same', async () => {
  const { charge, charges, began, finish } = gated()
  const server = await startTestServer([charge])
  const hangUp = await callAndHangUp(server)
  await began
  await hangUp()
  finish()
  const id = showRunId(keyedRunId('ACTION', 'charge', 'invoice-1'))
  expect(await settled(server, id)).toMatchObject({ status: 'SUCCEEDED', result: { receipt: 1 }, lastSeq: 2 })
  expect(charges).toEqual([id])
})
