/**
 * A commit that has not been answered for this time gives nothing to this worker any more: what it has begun is handed on. Longer than
 * its caller waits for it.
 */
const FORGOTTEN_MS = 30_000

/**
 * The runs that commits under way give to this node's worker. The database may show one as held before the answer is here: it is not
 * lost then, and its handler begins as soon as the answer comes.
 */
export class Begins {
  /** When they were given, by run id. */
  private readonly sinceMs = new Map<string, number>()

  add(runId: string): void {
    this.sinceMs.set(runId, performance.now())
  }

  /** Whether it may still begin here. False after so long a time that others may have been given it. */
  has(runId: string): boolean {
    const sinceMs = this.sinceMs.get(runId)
    if (sinceMs === undefined) return false
    if (performance.now() - sinceMs < FORGOTTEN_MS) return true
    this.sinceMs.delete(runId)
    return false
  }

  /** It has begun, or will not. */
  drop(runId: string): void {
    this.sinceMs.delete(runId)
  }
}
