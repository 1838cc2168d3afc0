import { describe, expect, test } from 'vitest'
import { action } from '../../src/index.ts'
import { oneTo, openStreams, type SeenEvent, seqsOf, TRANSPORTS, type Watch } from '../support/event-streams.ts'
import { submit } from '../support/runs.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const backoff = { initialMs: 0, factor: 1, maxMs: 0, jitter: false }

const restless = action('restless', {
  retry: { maxAttempts: 30, backoff },
  run: () => Promise.reject(new Error('no')),
})

/** Numbers in [0, 1) that are the same in every run of the test: mulberry32. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Watches a run to its end over ever new connections, each to a random node and left after a random number of events. */
async function watchByJumping(nodes: readonly TestServer[], id: string, watch: Watch, random: () => number) {
  const seen: SeenEvent[] = []
  for (let connections = 1; ; connections++) {
    const node = nodes[Math.floor(random() * nodes.length)]!
    const stream = watch(node.url, id, seen.at(-1)?.seq ?? 0)
    let left = Math.floor(random() * 8)
    for (;;) {
      const { done, value } = await stream.next()
      if (done && value === 'completed') return { seen, connections }
      if (done) break
      seen.push(value)
      if (left-- === 0) break
    }
    await stream.return('broken')
  }
}

describe.each(['on', 'off'] as const)('with notifications %s', (notify) => {
  test.each(TRANSPORTS)('no event is missed or repeated over random reconnects to two nodes: %s', async (_, watch) => {
    const one = await startTestServer([restless], { notify })
    const two = await startTestServer([restless], { notify, databaseUrl: one.databaseUrl })
    const id = await submit(one, { name: 'restless' })
    const watchers = await Promise.all(oneTo(6).map((seed) => watchByJumping([one, two], id, watch, seeded(seed))))
    for (const { seen, connections } of watchers) {
      // each of thirty attempts is due, started and failed; the first was never due
      expect(seqsOf(seen)).toEqual(oneTo(89))
      expect(connections).toBeGreaterThan(5)
    }
    await until(() => openStreams(one).length + openStreams(two).length === 0)
  })

  test('what happens on another node arrives live', async () => {
    const one = await startTestServer([restless], { notify })
    const two = await startTestServer([restless], { notify, databaseUrl: one.databaseUrl, role: 'api' })
    const id = await submit(one, { name: 'restless' })
    const [, watch] = TRANSPORTS[0]!
    const seen: SeenEvent[] = []
    for await (const event of watch(two.url, id)) seen.push(event)
    expect(seqsOf(seen)).toEqual(oneTo(89))
  })
})
