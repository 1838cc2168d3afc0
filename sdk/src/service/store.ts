import type { StoredAnswer } from './answer.ts'

/** What came of a call under a key. */
export type Kept =
  | { readonly kind: 'answer'; readonly answer: StoredAnswer; readonly replayed: boolean }
  /** The key was used for another call. */
  | { readonly kind: 'mismatch' }
  /** Somebody is at it at this moment. */
  | { readonly kind: 'busy' }

/**
 * Remembers what was answered under each key, so that a call that is repeated has its effect once.
 * `Tx` is what the store gives the function to write through, if it keeps answers in a database.
 */
export interface AnswerStore<Tx = undefined> {
  /**
   * Calls `work` where the key is new, and keeps the answer. Where `work` rejects nothing is kept, and the rejection is passed on:
   * the next call begins again.
   * @param fingerprint tells the same call from another one under the same key.
   */
  once(key: string, fingerprint: string, work: Work<Tx>): Promise<Kept>
}

/** Does what was asked, and says how it is answered. */
export interface Work<Tx> {
  (tx: Tx): Promise<StoredAnswer>
  /** The answer that is kept for a rejection: the failure is permanent. What was written through `tx` is undone all the same. */
  readonly permanent: (thrown: unknown) => StoredAnswer | undefined
}

export interface MemoryStoreOptions {
  /** Milliseconds that an answer is kept; default a day. */
  keepMs?: number
  /** So many answers are kept, the newest; default 10,000. */
  max?: number
}

/** Remembers in this process: nothing survives its end, and another process knows nothing of it. */
export function memoryStore({ keepMs = 86_400_000, max = 10_000 }: MemoryStoreOptions = {}): AnswerStore {
  const kept = new Map<string, { fingerprint: string; answer: Promise<StoredAnswer>; atMs: number }>()
  return {
    async once(key, fingerprint, work) {
      const known = kept.get(key)
      if (known && Date.now() - known.atMs < keepMs) {
        if (known.fingerprint !== fingerprint) return { kind: 'mismatch' }
        return { kind: 'answer', answer: await known.answer, replayed: true }
      }
      const answer = settle(work)
      kept.delete(key)
      kept.set(key, { fingerprint, answer, atMs: Date.now() })
      const [oldest] = kept.keys()
      if (kept.size > max && oldest !== undefined) kept.delete(oldest)
      try {
        return { kind: 'answer', answer: await answer, replayed: false }
      } catch (error) {
        if (kept.get(key)?.answer === answer) kept.delete(key)
        throw error
      }
    },
  }
}

async function settle(work: Work<undefined>): Promise<StoredAnswer> {
  try {
    return await work(undefined)
  } catch (thrown) {
    const answer = work.permanent(thrown)
    if (!answer) throw thrown
    return answer
  }
}
