import type { Attempt } from './attempt.ts'
import type { ServedAction } from './configure.ts'
import type { AttemptRef } from './wire.ts'

/** The attempts that a worker has in hand, from the claim until their end is reported, and the slots that they take. */
export class Hand {
  readonly #attempts = new Map<string, Attempt>()
  readonly #perAction = new Map<string, number>()
  readonly #actions: ReadonlyMap<string, ServedAction>
  readonly #concurrency: number
  #whenEmpty: (() => void)[] = []

  constructor(actions: ReadonlyMap<string, ServedAction>, concurrency: number) {
    this.#actions = actions
    this.#concurrency = concurrency
  }

  get size(): number {
    return this.#attempts.size
  }

  /** Slots of the worker; more may be taken than there are, where two answers came at once. */
  get free(): number {
    return Math.max(0, this.#concurrency - this.#attempts.size)
  }

  /** The actions that have a slot of their own, each with how many. */
  open(): Map<string, number> {
    const open = new Map<string, number>()
    for (const name of this.#actions.keys()) {
      const slots = this.#slotsOf(name)
      if (slots > 0) open.set(name, slots)
    }
    return open
  }

  hasRoomFor(name: string): boolean {
    return this.free > 0 && this.#slotsOf(name) > 0
  }

  #slotsOf(name: string): number {
    return (this.#actions.get(name)?.concurrency ?? 0) - (this.#perAction.get(name) ?? 0)
  }

  get(runId: string): Attempt | undefined {
    return this.#attempts.get(runId)
  }

  all(): Attempt[] {
    return [...this.#attempts.values()]
  }

  refs(): AttemptRef[] {
    return Array.from(this.#attempts.values(), (attempt) => attempt.ref)
  }

  take(attempt: Attempt): void {
    const { runId, name } = attempt.claimed
    this.#attempts.set(runId, attempt)
    this.#perAction.set(name, (this.#perAction.get(name) ?? 0) + 1)
  }

  /** Frees its slot. False where it was not in hand any more. */
  drop(attempt: Attempt): boolean {
    const { runId, name } = attempt.claimed
    if (this.#attempts.get(runId) !== attempt) return false
    this.#attempts.delete(runId)
    this.#perAction.set(name, this.#perAction.get(name)! - 1)
    if (this.#attempts.size === 0) for (const wake of this.#whenEmpty.splice(0)) wake()
    return true
  }

  whenEmpty(): Promise<void> {
    if (this.#attempts.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#whenEmpty.push(resolve))
  }
}
