import { onTestFinished } from 'vitest'

export const inOrder = (a: number, b: number) => a - b
export const evenOrOdd = (n: number): string => (n % 2 === 0 ? 'even' : 'odd')

/** A commit that a test ends by hand, oldest first. */
export interface ManualCommits {
  commit(items: number[]): Promise<string[]>
  /** The batches that were begun. */
  readonly begun: number[][]
  /** Ends the oldest commit in flight: with its answer, or with what `apply` throws. Resolves when all has settled that does. */
  finish(apply?: (items: number[]) => void): Promise<void>
}

export function manualCommits(): ManualCommits {
  const begun: number[][] = []
  const inFlight: { items: number[]; resolve: (outcomes: string[]) => void; reject: (error: unknown) => void }[] = []
  onTestFinished(async () => {
    // what is left would be given up in the middle of another test
    for (await quiet(); inFlight.length > 0; await quiet())
      for (const { items, resolve } of inFlight.splice(0)) resolve(items.map((n) => `done ${n}`))
  })
  return {
    begun,
    commit: (items) =>
      new Promise((resolve, reject) => {
        begun.push(items)
        inFlight.push({ items, resolve, reject })
      }),
    async finish(apply = () => {}) {
      await quiet()
      const oldest = inFlight.shift()
      if (!oldest) throw new Error('no commit is in flight')
      try {
        apply(oldest.items)
        oldest.resolve(oldest.items.map((n) => `done ${n}`))
      } catch (error) {
        oldest.reject(error)
      }
      await quiet()
    },
  }
}

/** Resolves after everything that can go on without a timer or the network has: batches begin within a turn of the loop. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Which of the promises have settled by now. */
export async function settled(promises: readonly Promise<unknown>[]): Promise<boolean[]> {
  const states = promises.map(() => false)
  promises.forEach((promise, i) => {
    const mark = () => {
      states[i] = true
    }
    promise.then(mark, mark)
  })
  await quiet()
  return states
}
