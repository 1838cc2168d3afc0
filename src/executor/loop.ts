import type { Logger } from 'pino'

/** After an error the next turn comes so much later, unless the loop is woken. */
const AFTER_ERROR_MS = 500

/**
 * Runs a task again and again: at once when woken, else when the task's own answer says. A task never overlaps itself; a
 * wake during a turn causes another turn.
 */
export class Loop {
  private timer: NodeJS.Timeout | undefined
  private running: Promise<void> | undefined
  private again = false
  private stopped = false
  private readonly name: string
  private readonly turn: () => Promise<number>
  private readonly log: Logger

  /** @param turn answers in how many milliseconds the next turn should come. */
  constructor(name: string, log: Logger, turn: () => Promise<number>) {
    this.name = name
    this.log = log
    this.turn = turn
  }

  wake(): void {
    if (this.stopped) return
    if (this.running) {
      this.again = true
      return
    }
    clearTimeout(this.timer)
    this.again = false
    this.running = this.takeTurn().finally(() => {
      this.running = undefined
      if (this.again) this.wake()
    })
  }

  /** No further turn begins; resolves when the present one has ended. */
  async stop(): Promise<void> {
    this.stopped = true
    clearTimeout(this.timer)
    await this.running
  }

  private async takeTurn(): Promise<void> {
    let delayMs = AFTER_ERROR_MS
    try {
      delayMs = await this.turn()
    } catch (error) {
      this.log.warn({ err: error, loop: this.name }, `${this.name} failed; it is tried again`)
    }
    if (!this.stopped) this.timer = setTimeout(() => this.wake(), jittered(delayMs))
  }
}

/** Up to a fifth sooner, so that nodes that started together do not poll together. */
function jittered(ms: number): number {
  return ms * (0.8 + Math.random() / 5)
}
