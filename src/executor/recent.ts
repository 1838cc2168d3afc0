/** Asks at most once in `ms`, whoever asks: those that come meanwhile share the answer. */
export class Recent<T> {
  private asked: Promise<T> | undefined
  private readonly ms: number
  private readonly ask: () => Promise<T>

  constructor(ms: number, ask: () => Promise<T>) {
    this.ms = ms
    this.ask = ask
  }

  get(): Promise<T> {
    if (this.asked) return this.asked
    const asked = this.ask()
    this.asked = asked
    setTimeout(() => {
      if (this.asked === asked) this.asked = undefined
    }, this.ms).unref()
    return asked
  }

  /** What was answered may not be so any more. */
  forget(): void {
    this.asked = undefined
  }
}
