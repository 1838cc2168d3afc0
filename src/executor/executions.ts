import type { RunRow } from '../db/rows.ts'
import { AttemptAbort, RunRevoked } from './abort.ts'

/** One attempt under way on this worker. */
export interface Execution {
  readonly run: RunRow
  readonly abort: AttemptAbort
}

/** What a worker has in hand: attempts under way, and slots that are reserved for runs whose submission is in its commit. */
export class Executions {
  /** The newest execution of each run. */
  private readonly byRun = new Map<string, Execution>()
  private readonly underWay = new Set<Execution>()
  private reserved = 0
  private readonly idleListeners = new Set<() => void>()

  get size(): number {
    return this.underWay.size
  }

  has(runId: string): boolean {
    return this.byRun.has(runId)
  }

  get(runId: string): Execution | undefined {
    return this.byRun.get(runId)
  }

  /** The newest execution of each run. */
  current(): Execution[] {
    return [...this.byRun.values()]
  }

  reserve(): void {
    this.reserved++
  }

  unreserve(): void {
    this.reserved--
    this.tellIfIdle()
  }

  /**
   * A run that was canceled and retried may come back before this process has heard of the cancel: its old handler is told
   * now, and from now on only the new execution answers for the run.
   */
  begin(run: RunRow): Execution {
    this.byRun.get(run.id)?.abort.abort(new RunRevoked())
    const execution = { run, abort: new AttemptAbort() }
    this.byRun.set(run.id, execution)
    this.underWay.add(execution)
    return execution
  }

  end(execution: Execution): void {
    this.underWay.delete(execution)
    if (this.byRun.get(execution.run.id) === execution) this.byRun.delete(execution.run.id)
    this.tellIfIdle()
  }

  abortAll(reason: Error): void {
    for (const { abort } of this.underWay) abort.abort(reason)
  }

  /** Resolves when nothing is under way and nothing is reserved, or after `ms`. */
  async idle(ms: number): Promise<void> {
    if (this.isIdle()) return
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.idleListeners.delete(done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.idleListeners.add(done)
    })
  }

  private isIdle(): boolean {
    return this.underWay.size === 0 && this.reserved === 0
  }

  private tellIfIdle(): void {
    if (this.isIdle()) for (const listener of [...this.idleListeners]) listener()
  }
}
