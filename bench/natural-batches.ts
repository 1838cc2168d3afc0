/** What the baseline shares commits with, and no more: while one is in flight, what comes is gathered for the next. */
export class NaturalBatches<I> {
  private waiting: { item: I; resolve: () => void; reject: (error: unknown) => void }[] = []
  private inFlight = false
  private readonly commit: (items: I[]) => Promise<unknown>

  constructor(commit: (items: I[]) => Promise<unknown>) {
    this.commit = commit
  }

  submit(item: I): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject })
      if (!this.inFlight) this.sendSoon()
    })
  }

  /** Within this turn of the event loop: what the last commit has let go comes back together. */
  private sendSoon(): void {
    this.inFlight = true
    setImmediate(async () => {
      const batch = this.waiting
      this.waiting = []
      try {
        await this.commit(batch.map(({ item }) => item))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
      this.inFlight = false
      if (this.waiting.length > 0) this.sendSoon()
    })
  }
}
