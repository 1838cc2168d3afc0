import fc from 'fast-check'
import { expect } from 'vitest'
import { type Case, showCase } from './case-runner.ts'

/** So many at once. */
const LANES = 20
/** What searching for a smaller case may take, in milliseconds. */
const SHRINKING_MS = 20_000

/** How many graphs a test draws: its share of RANDOM_GRAPHS, if that is set. */
export function casesOf(usual: number): number {
  return process.env.RANDOM_GRAPHS ? Math.ceil((Number(process.env.RANDOM_GRAPHS) * usual) / 300) : usual
}

const SEED = Number(process.env.RANDOM_GRAPHS_SEED ?? Date.now() % 2_147_483_647)

/**
 * Runs many cases at once; of the first that fails it looks for the smallest that does, one at a time. RANDOM_GRAPHS_SEED
 * repeats what was drawn.
 */
export async function everyCase<G, C extends Case>(
  ground: G,
  arbitrary: fc.Arbitrary<C>,
  count: number,
  holds: (ground: G, drawn: C) => Promise<void>,
): Promise<void> {
  const cases = fc.sample(arbitrary, { seed: SEED, numRuns: count })
  let next = 0
  let failed: { index: number; error: unknown } | undefined
  const lane = async () => {
    while (next < cases.length && !failed) {
      const index = next++
      try {
        await holds(ground, cases[index]!)
      } catch (error) {
        failed ??= { index, error }
      }
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  if (failed) expect.fail(await smallest(ground, arbitrary, holds, failed, cases[failed.index]!))
}

async function smallest<G, C extends Case>(
  ground: G,
  arbitrary: fc.Arbitrary<C>,
  holds: (ground: G, drawn: C) => Promise<void>,
  { index, error }: { index: number; error: unknown },
  drawn: C,
): Promise<string> {
  const found = await fc.check(
    fc.asyncProperty(arbitrary, (each) => holds(ground, each)),
    { seed: SEED, path: `${index}`, numRuns: 1, interruptAfterTimeLimit: SHRINKING_MS, markInterruptAsFailure: false },
  )
  const [small] = found.counterexample ?? []
  const shown = small ? showCase(small, found.errorInstance) : showCase(drawn, error)
  return `RANDOM_GRAPHS_SEED=${SEED} path ${found.counterexamplePath ?? `${index}, which alone does not fail`}\n${shown}`
}
