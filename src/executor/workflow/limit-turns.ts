import type { Logger } from 'pino'
import type { Database } from '../../db/client.ts'
import { releaseTurn, requestTurn, strayTurns, type Turn, unlistedTurns } from '../../db/limits.ts'
import { readParams } from '../../db/tree/read-tree.ts'
import { Loop } from '../loop.ts'
import type { ExecutorOptions } from '../options.ts'
import type { Advance } from './advance.ts'
import { refuseStep } from './enter-step.ts'
import { startNow } from './start-work.ts'
import type { TreeCommits } from './tree-commits.ts'

/** Lost messages are found this much later, in polls. */
const SWEEP_POLLS = 5

/**
 * Turns under limits that many runs share. A limit lives under the bucket of its key and not of the runs: a request, a grant
 * and a release are messages that may be repeated, and a sweep repeats those that a crash has lost.
 */
export class LimitTurns {
  private readonly sweeping: Loop
  private readonly db: Database
  private readonly commits: TreeCommits
  private readonly log: Logger

  constructor(db: Database, commits: TreeCommits, options: ExecutorOptions, log: Logger) {
    this.db = db
    this.commits = commits
    this.log = log
    this.sweeping = new Loop('looking after limits', log, async () => {
      await this.sweep()
      return options.pollMs * SWEEP_POLLS
    })
  }

  start(): void {
    this.sweeping.wake()
  }

  stop(): Promise<void> {
    return this.sweeping.stop()
  }

  /** Puts steps in line, gives turns back, and tells whose turn it is. Never rejects: what is lost is swept up. */
  settle({ turnsWanted, tree: { turnsOver } }: Advance): void {
    const requests = [
      ...turnsOver.map((turn) => releaseTurn(this.db, turn)),
      ...turnsWanted.map((turn) => requestTurn(this.db, turn)),
    ]
    for (const request of requests)
      request
        .then((turns) => Promise.all(turns.map((turn) => this.grant(turn))))
        .catch((err) => this.log.warn({ err }, 'a turn was not taken or given back; it is tried again'))
  }

  /** It is a step's turn. One that does not wait any more gives it back. */
  private async grant(turn: Turn): Promise<void> {
    const outcome = await this.commits.submit({
      rootId: turn.rootId,
      rows: () => [turn.runId],
      async apply(advance) {
        const row = advance.tree.find(turn.runId)
        if (row?.limitKey !== turn.key) return false
        const wait = row.wait as { kind?: string; key?: string } | null
        if (row.status !== 'WAITING' || wait?.kind !== 'limit') return true
        const [read] = await readParams(advance.tree.run, [row.id])
        try {
          await startNow(advance, row, read?.params ?? {}, wait.key)
        } catch (thrown) {
          refuseStep(advance, row, thrown)
        }
        return true
      },
    })
    if (outcome.kind === 'applied' && !outcome.value) await this.giveBack(turn)
  }

  private async giveBack(turn: Turn): Promise<void> {
    for (const next of await releaseTurn(this.db, turn)) await this.grant(next)
  }

  private async sweep(): Promise<void> {
    const { over, untold } = await strayTurns(this.db)
    for (const turn of over) await this.giveBack(turn)
    for (const turn of untold) await this.grant(turn)
    for (const turn of await unlistedTurns(this.db))
      for (const next of await requestTurn(this.db, turn)) await this.grant(next)
  }
}
