import { byteLength, jsonIssues } from '../core/json.ts'
import type { RunRow } from '../db/rows.ts'
import { recordHeartbeats } from '../db/transitions/record-heartbeats.ts'
import type { Attempt } from './attempt.ts'

/** The largest progress, in bytes of JSON. */
export const MAX_PROGRESS_BYTES = 65_536
const GAP_MS = 1_000

/** The progress of one attempt: at most one write a second, and always the last value. */
export class HeartbeatRecorder {
  private latest: { progress: unknown } | undefined
  private recorded: { progress: unknown } | undefined
  private writing: Promise<void> | undefined
  private timer: NodeJS.Timeout | undefined
  private readonly attempt: Pick<Attempt, 'db' | 'run' | 'log'>

  constructor(attempt: Pick<Attempt, 'db' | 'run' | 'log'>) {
    this.attempt = attempt
  }

  /** Throws a `TypeError` when the progress is not JSON or takes over 64 KiB. */
  beat(progress: unknown): void {
    const text = JSON.stringify(progress) as string | undefined
    const [issue] = text === undefined ? [{ message: 'is not JSON' }] : jsonIssues(progress)
    if (issue) throw new TypeError(`heartbeat(progress): the progress ${issue.message}`)
    if (byteLength(text ?? '') > MAX_PROGRESS_BYTES)
      throw new TypeError(`heartbeat(progress): over ${MAX_PROGRESS_BYTES} bytes of JSON`)
    this.latest = { progress }
    if (!this.timer) this.write()
  }

  /** Writes what has not been written; `undefined` where there was no beat. No beat is taken up afterwards. */
  finish(): Promise<void> | undefined {
    return this.writing && this.writeRest(this.writing)
  }

  private async writeRest(writing: Promise<void>): Promise<void> {
    clearTimeout(this.timer)
    await writing
    if (this.latest) await this.writeNow()
  }

  /** The run with what was recorded of its progress. */
  shownOn(run: RunRow): RunRow {
    return this.recorded ? { ...run, heartbeat: this.recorded.progress } : run
  }

  private write(): void {
    this.writing = this.writeNow()
    this.timer = setTimeout(() => {
      this.timer = undefined
      if (this.latest) this.write()
    }, GAP_MS)
  }

  private async writeNow(): Promise<void> {
    const { db, run } = this.attempt
    const { bucket, id, fence } = run
    const beat = this.latest
    this.latest = undefined
    if (!beat) return
    try {
      const [stands] = await recordHeartbeats(db, [{ bucket, id, fence, progress: beat.progress }])
      if (stands) this.recorded = beat
    } catch (error) {
      // Progress is a convenience; the attempt does not fail for it.
      this.latest ??= beat
      this.attempt.log.debug({ err: error }, 'a heartbeat was not recorded')
    }
  }
}
