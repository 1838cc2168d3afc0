import { expect, test, vi } from 'vitest'
import { preferring, type StatementClient, StatementsInHand } from '../../src/db/warm.ts'

/** A client that answers when it is told to. */
function held() {
  const asked: { text: string; answer: (rows: unknown[]) => void; fail: (error: Error) => void }[] = []
  const unsafe = (text: string) =>
    new Promise((answer, fail) => {
      asked.push({ text, answer, fail })
    })
  return { client: { unsafe } as unknown as StatementClient, asked }
}

const texts = ({ asked }: ReturnType<typeof held>) => asked.map(({ text }) => text)

test('one statement after the other goes over the same connection', async () => {
  const [first, second, others] = [held(), held(), held()]
  const client = preferring([first.client, second.client], others.client)
  for (const text of ['a', 'b', 'c']) {
    const rows = client.unsafe(text)
    first.asked.at(-1)!.answer([text])
    expect(await rows).toEqual([text])
  }
  expect([texts(first), texts(second), texts(others)]).toEqual([['a', 'b', 'c'], [], []])
})

test('a small statement waits behind another, what is too large for that takes the next, and then the others', async () => {
  const [first, second, others] = [held(), held(), held()]
  const client = preferring([first.client, second.client], others.client)
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
    const client = preferring([first.client, second.client], others.client)
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
  const client = preferring([first.client], others.client)
  const failing = client.unsafe('a')
  first.asked[0]!.fail(new Error('no'))
  await expect(failing).rejects.toThrow('no')
  void client.unsafe('b')
  expect(texts(first)).toEqual(['a', 'b'])
})

test('a statement that its connection has forgotten fails when that ends; one that was answered, or given since, does not', async () => {
  const inHand = new StatementsInHand()
  const { client, asked } = held()
  const connection = inHand.over(client)
  const [forgotten, answered] = [connection.unsafe('forgotten'), connection.unsafe('answered')]
  inHand.lost()
  asked[1]!.answer(['rows'])
  const since = connection.unsafe('since')
  await expect(forgotten).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
  expect(await answered).toEqual(['rows'])
  asked[2]!.answer(['later'])
  expect(await since).toEqual(['later'])
  // nothing is left to be given up
  inHand.lost()
})

test('what the database says at the end of a connection goes before', async () => {
  const inHand = new StatementsInHand()
  const { client, asked } = held()
  const failing = inHand.over(client).unsafe('a')
  inHand.lost()
  asked[0]!.fail(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))
  await expect(failing).rejects.toMatchObject({ code: 'ECONNRESET' })
})
