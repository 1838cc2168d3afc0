import { vi } from 'vitest'

/** Holds callers back until the test lets them through, oldest first. For tests with fake timers. */
export class Gate<T> {
  private readonly waiting: { resolve: (value: T) => void; reject: (error: unknown) => void }[] = []

  pass(): Promise<T> {
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }))
  }

  get held(): number {
    return this.waiting.length
  }

  /** Lets the oldest through, and lets what follows happen. */
  async open(value: T): Promise<void> {
    this.waiting.shift()?.resolve(value)
    await vi.advanceTimersByTimeAsync(0)
  }

  async fail(error: unknown): Promise<void> {
    this.waiting.shift()?.reject(error)
    await vi.advanceTimersByTimeAsync(0)
  }
}
