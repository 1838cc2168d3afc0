import type { Handed } from './hand-over.ts'

interface Box {
  /** Given, and not collected yet. */
  handed: Handed[]
  /** Being inserted. */
  expected: number
}

/**
 * Runs that were given to workers as they were inserted, until the worker's request collects them: it may have been answered in the
 * moment between. What nobody collects is the worker's all the same: the database says so, and its lease.
 */
export class Mail {
  private readonly boxes = new Map<string, Box>()

  /** How many more a worker may be given that asks for `limit`. */
  room(workerId: string, limit: number): number {
    const box = this.boxes.get(workerId)
    return box ? Math.max(0, limit - box.expected - box.handed.length) : limit
  }

  expect(workerId: string): void {
    const box = this.boxes.get(workerId) ?? { handed: [], expected: 0 }
    box.expected++
    this.boxes.set(workerId, box)
  }

  deliver(workerId: string, handed: Handed): void {
    this.cancel(workerId)
    const box = this.boxes.get(workerId) ?? { handed: [], expected: 0 }
    box.handed.push(handed)
    this.boxes.set(workerId, box)
  }

  /** What was expected does not come. */
  cancel(workerId: string): void {
    const box = this.boxes.get(workerId)
    if (!box) return
    box.expected = Math.max(0, box.expected - 1)
    this.dropEmpty(workerId, box)
  }

  collect(workerId: string, limit: number): Handed[] {
    const box = this.boxes.get(workerId)
    if (!box || limit <= 0) return []
    const handed = box.handed.splice(0, limit)
    this.dropEmpty(workerId, box)
    return handed
  }

  forget(workerId: string): void {
    this.boxes.delete(workerId)
  }

  forgetAllBut(workerIds: ReadonlySet<string>): void {
    for (const workerId of this.boxes.keys()) if (!workerIds.has(workerId)) this.boxes.delete(workerId)
  }

  private dropEmpty(workerId: string, { handed, expected }: Box): void {
    if (handed.length === 0 && expected === 0) this.boxes.delete(workerId)
  }
}
