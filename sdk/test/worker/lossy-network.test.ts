import { expect, it, vi } from 'vitest'
import { pass, started } from '../support/worker.ts'
import { loseAnswer, status } from '../support/worker-faults.ts'
import type { Field } from '../support/worker-server.ts'

const FIELDS: readonly Field[] = ['registerWorker', 'claimRuns', 'renewLeases', 'completeAttempt', 'failAttempt']
const FAULTS = [loseAnswer, status(503), status(500), () => Promise.reject(new TypeError('fetch failed'))]

/** The same numbers for the same seed (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

it.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'over a network that loses what it likes, all runs end, and no attempt is executed twice: seed %i',
  async (seed) => {
    const random = numbers(seed)
    const executed: string[] = []
    const running = { now: 0, rare: 0, most: 0, mostRare: 0 }
    const run = (name: 'rare' | 'many') => async (context: { runId: string; attempt: number; signal: AbortSignal }) => {
      executed.push(`${context.runId} ${context.attempt}`)
      running.most = Math.max(running.most, ++running.now)
      if (name === 'rare') running.mostRare = Math.max(running.mostRare, ++running.rare)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, random() * 3_000)
        context.signal.addEventListener('abort', () => resolve(clearTimeout(timer)))
      })
      running.now--
      if (name === 'rare') running.rare--
      if (random() < 0.1) throw new Error('as it happens')
    }
    const { server } = await started({
      concurrency: 5,
      actions: { many: { run: run('many') }, rare: { concurrency: 2, run: run('rare') } },
    })
    vi.mocked(Math.random).mockImplementation(random)
    for (let step = 0; step < 200; step++) {
      if (random() < 0.5) server.submit(random() < 0.3 ? 'rare' : 'many')
      if (random() < 0.2)
        server.next(FIELDS[Math.floor(random() * FIELDS.length)]!, FAULTS[Math.floor(random() * FAULTS.length)]!)
      if (random() < 0.01) server.expire()
      if (random() < 0.01) server.down = !server.down
      await pass(random() * 1_000)
    }
    server.down = false
    await pass(200_000)
    expect([...server.runs.values()].filter(({ ended }) => !ended)).toEqual([])
    expect(new Set(executed).size).toBe(executed.length)
    expect(running).toMatchObject({ now: 0, most: 5, mostRare: 2 })
  },
)
