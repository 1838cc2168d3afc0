import { expect, test, vi } from 'vitest'
import { preferring, type StatementClient, WarmConnection } from '../../src/db/warm.ts'

/** A client that answers when it is told to. */
function held() {
  const asked: { text: string; answer: (rows: unknown[]) => void; fail: (error: Error) => void }[] = []
  const unsafe = (text: string) =>
    new Promise((answer, fail) => {
      asked.push({ text, answer, fail })
    })
  const client = { unsafe } as unknown as StatementClient
  return { client, connection: new WarmConnection(client), asked }
}

const texts = ({ asked }: ReturnType<typeof held>) => asked.map(({ text }) => text)

test('one statement after the other goes over the same connection', async () => {
  const [first, second, others] = [held(), held(), held()]
  const client = preferring([first.connection, second.connection], others.client)
  for (const text of ['a', 'b', 'c']) {
    const rows = client.unsafe(text)
    first.asked.at(-1)!.answer([text])
    expect(await rows).toEqual([text])
  }
  expect([texts(first), texts(second), texts(others)]).toEqual([['a', 'b', 'c'], [], []])
})

test('a small statement waits behind another, what is too large for that takes the next, and then the others', async () => {
  const [first, second, others] = [held(), held(), held()]
  const client = preferring([first.connection, second.connection], others.client)
  const send = (text: string, size: number) => void client.unsafe(text, ['x'.repeat(size), null])
  expect(client.isIdle()).toBe(true)
  send('huge', 90_000)
  expect(client.isIdle()).toBe(false)
  send('b', 40_000)
  send('c', 20_000)
  send('d', 1)
  expect([texts(first), texts(second), texts(others)]).toEqual([['huge'], ['b', 'c'], ['d']])
  for (const { asked } of [first, second]) for (const { answer } of asked) answer([])
  await Promise.resolve()
  expect(client.isIdle()).toBe(true)
  send('e', 1)
  expect(texts(first)).toEqual(['huge', 'e'])
})

test('a connection that does not answer is passed over, until it does', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  try {
    const [first, second, others] = [held(), held(), held()]
    const client = preferring([first.connection, second.connection], others.client)
    const silent = client.unsafe('silent')
    vi.advanceTimersByTime(249)
    void client.unsafe('b')
    vi.advanceTimersByTime(1)
    void client.unsafe('c')
    expect([texts(first), texts(second)]).toEqual([['silent', 'b'], ['c']])
    vi.advanceTimersByTime(250)
    void client.unsafe('d')
    expect(texts(others)).toEqual(['d'])
    first.asked[0]!.answer([])
    await silent
    void client.unsafe('e')
    expect(texts(first)).toEqual(['silent', 'b', 'e'])
  } finally {
    vi.useRealTimers()
  }
})

test('a connection whose statement failed is used again, and the caller hears of it', async () => {
  const [first, others] = [held(), held()]
  const client = preferring([first.connection], others.client)
  const failing = client.unsafe('a')
  first.asked[0]!.fail(new Error('no'))
  await expect(failing).rejects.toThrow('no')
  void client.unsafe('b')
  expect(texts(first)).toEqual(['a', 'b'])
})

test('a statement that its connection has forgotten fails when that ends; one that was answered, or given since, does not', async () => {
  const { connection, asked } = held()
  const [forgotten, answered] = [connection.execute(0, 'forgotten'), connection.execute(0, 'answered')]
  connection.lost()
  asked[1]!.answer(['rows'])
  const since = connection.execute(0, 'since')
  await expect(forgotten).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
  expect(await answered).toEqual(['rows'])
  asked[2]!.answer(['later'])
  expect(await since).toEqual(['later'])
  // nothing is left to be given up
  connection.lost()
})

test('what the database says at the end of a connection goes before', async () => {
  const { connection, asked } = held()
  const failing = connection.execute(0, 'a')
  connection.lost()
  asked[0]!.fail(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))
  await expect(failing).rejects.toMatchObject({ code: 'ECONNRESET' })
})
