import { groupBy } from '../core/group-by.ts'
import type { Database } from '../db/client.ts'
import { queuedSteps } from '../db/reads/tree-work.ts'
import { newestStatement, type RemoteWorker } from '../db/remote-workers.ts'
import type { RunRow } from '../db/rows.ts'
import { claimRuns } from '../db/transitions/claim-runs.ts'
import type { RegisteredAction } from '../executor/registry.ts'
import type { Advance } from '../executor/workflow/advance.ts'
import { overridden, startAttempt } from '../executor/workflow/begin-action.ts'
import { claimableRows } from '../executor/workflow/claim-steps.ts'
import { asRunRow } from '../executor/workflow/run-row.ts'
import type { TreeCommand } from '../executor/workflow/tree-command.ts'
import type { TreeCommits } from '../executor/workflow/tree-commits.ts'
import type { KnownWorkers } from './known-workers.ts'

/** A run that a worker is given, with its action as it is to be executed. */
export interface Handed {
  readonly run: RunRow
  readonly action: RegisteredAction
}

/** What a worker asks for. */
export interface Wish {
  readonly worker: RemoteWorker
  readonly names: readonly string[]
  readonly limit: number
}

/** Takes queued runs for remote workers. */
export class HandOver {
  private readonly db: Database
  private readonly commits: TreeCommits
  private readonly workers: KnownWorkers

  constructor(db: Database, commits: TreeCommits, workers: KnownWorkers) {
    this.db = db
    this.commits = commits
    this.workers = workers
  }

  /** Gives a worker what waits for it: what has begun, the steps of workflows, goes before what is new. */
  async claim(wish: Wish): Promise<Handed[]> {
    const steps = await this.claimSteps(wish)
    const left = wish.limit - steps.length
    return left > 0 ? [...steps, ...(await this.claimSingle(wish, left))] : steps
  }

  private async claimSingle({ worker, names }: Wish, total: number): Promise<Handed[]> {
    const actions = new Map<string, RegisteredAction>()
    for (const name of names) {
      const action = await this.workers.version(name, worker.actions[name] ?? 0)
      if (action) actions.set(name, action)
    }
    const wished = [...actions].map(([name, { effect }]) => ({
      name,
      effect,
      slots: total,
      version: worker.actions[name] ?? 0,
    }))
    if (wished.length === 0) return []
    const claimed = await claimRuns(this.db, { workerId: worker.id, total, names: wished })
    return claimed.flatMap((run) => {
      const action = actions.get(run.name)
      return action ? [{ run, action }] : []
    })
  }

  /** Steps do not say which version they were computed for: only workers of the newest are given them. */
  private async claimSteps({ worker, names, limit }: Wish): Promise<Handed[]> {
    const queues = names.map((queue) => ({ queue, slots: limit }))
    const work = (await queuedSteps(this.db, queues, limit)).slice(0, limit)
    const commands = [...groupBy(work, ({ rootId }) => rootId)].map(([rootId, items]) =>
      this.command(
        rootId,
        items.map(({ id }) => id),
        worker,
      ),
    )
    const outcomes = await Promise.all(commands.map((command) => this.commits.submitOnce(command)))
    return outcomes.flatMap((outcome) => (outcome.kind === 'applied' ? outcome.value : []))
  }

  private command(rootId: string, ids: readonly string[], worker: RemoteWorker): TreeCommand<Handed[]> {
    return {
      rootId,
      rows: () => ids,
      apply: async (advance) => {
        const { tree } = advance
        if (tree.root.paused) return []
        const claimable = await claimableRows(advance, ids)
        if (claimable.length === 0) return []
        const newest = await this.newest(advance, worker.id)
        const handed: Handed[] = []
        for (const { row, params } of claimable) {
          const version = newest.has(row.name) ? worker.actions[row.name] : undefined
          const action = version === undefined ? undefined : await this.workers.version(row.name, version)
          if (!action) continue
          const asStep = overridden(action, tree, row)
          startAttempt(tree, row, worker.id, asStep)
          handed.push({ run: asRunRow(row, params), action: asStep })
        }
        return handed
      },
    }
  }

  /** The actions whose newest version the worker has, where its lease is valid. */
  private async newest({ tree }: Advance, id: string): Promise<Set<string>> {
    const rows = await tree.run(newestStatement, { id, offsetMs: this.db.clock.offsetMs })
    return new Set(rows.map(({ name }) => name))
  }
}
