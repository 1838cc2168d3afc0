import { bucketOf } from '../../core/ids.ts'
import type { Database, UserTransaction } from '../../db/client.ts'
import { byBucketAndId, GroupCommit } from '../../db/group-commit.ts'
import { inPipelinedTransaction } from '../../db/transaction.ts'
import { runnerOf, userRunnerOf } from '../../db/tree/statement-runner.ts'
import { TreeConflict } from '../../db/tree/write-trees.ts'
import { whileUnavailable } from '../submissions.ts'
import type { Advance } from './advance.ts'
import type { Host } from './host.ts'
import { KeptTrees } from './kept-trees.ts'
import { type AppliedKnown, applyToKept, applyToNew, type Creation } from './known-trees.ts'
import { abandon, applyToTrees, orAbandon, type TreeCommand, type TreeOutcome } from './tree-command.ts'

/** What concerns one tree is never in two commits at once: the second would wait for the first. */
const OF_TREES = { maxBatch: 200, groupOf: ({ id }: Batched) => id }
/** Always two, so that one batch is decided while the other is committed. */
const LOCKED = { ...OF_TREES, enough: 1 }

/** Batches lock in the order of (bucket, id): of the root's. */
interface Batched<Command extends TreeCommand = TreeCommand> {
  readonly command: Command
  readonly bucket: number
  readonly id: string
}

/** What is told of each tree that a commit has changed. */
interface CommitEvents {
  committed(advance: Advance): void
  /** The steps that it has begun may run: a handler may return at once, and then the tree must be kept for the step's end. */
  begin(advance: Advance): void
}

/** Changes trees in shared commits. */
export class TreeCommits {
  private readonly commits: GroupCommit<Batched, TreeOutcome>
  /** Of trees that are kept: no two of these commits are in each other's way. */
  private readonly ofKept: GroupCommit<Batched, TreeOutcome>
  /** Of trees that are made. */
  private readonly ofNew: GroupCommit<Batched<Creation>, TreeOutcome>
  private readonly kept = new KeptTrees()
  private readonly db: Database
  private readonly host: Host
  private readonly on: CommitEvents
  private readonly unavailableMs: number

  constructor(db: Database, host: Host, unavailableMs: number, on: CommitEvents) {
    this.db = db
    this.host = host
    this.unavailableMs = unavailableMs
    this.on = on
    this.commits = new GroupCommit<Batched, TreeOutcome>(
      (batch) => this.commit(commandsOf(batch)),
      byBucketAndId,
      LOCKED,
    )
    const known = { ...OF_TREES, isIdle: db.warm.isIdle }
    this.ofKept = new GroupCommit<Batched, TreeOutcome>((batch) => this.commitKept(batch), byBucketAndId, known)
    this.ofNew = new GroupCommit<Batched<Creation>, TreeOutcome>((batch) => this.commitNew(batch), byBucketAndId, known)
  }

  private commitKept(batch: readonly Batched[]) {
    const { db, host, kept } = this
    return this.orLocked(batch, () => applyToKept(runnerOf(db.warm), commandsOf(batch), kept, host, db.clock))
  }

  private commitNew(batch: readonly Batched<Creation>[]) {
    const { db, host } = this
    return this.orLocked(batch, () => applyToNew(runnerOf(db.warm), commandsOf(batch), host, db.clock))
  }

  /** What is known did not do for some of them, or for all: nothing was written of those, and they go the other way. */
  private async orLocked(
    batch: readonly Batched[],
    apply: () => Promise<AppliedKnown>,
  ): Promise<(TreeOutcome | Promise<TreeOutcome>)[]> {
    try {
      const { outcomes, advances } = await apply()
      this.haveCommitted(advances)
      return batch.map((item) => outcomes.get(item.command) ?? this.locked(item))
    } catch (error) {
      if (!(error instanceof TreeConflict)) throw error
      return batch.map((item) => this.locked(item))
    }
  }

  private locked(item: Batched): Promise<TreeOutcome> {
    const outcome = this.commits.submit(item)
    // the batch that it comes from may have been given up, and nobody waits for it
    outcome.catch(() => {})
    return outcome
  }

  private haveCommitted(advances: readonly Advance[]): void {
    for (const advance of advances) {
      if (!advance.tree.changed) continue
      advance.outcomes.publish()
      this.on.committed(advance)
      this.kept.keep(advance.tree)
      this.on.begin(advance)
    }
  }

  private async commit(commands: readonly TreeCommand[]): Promise<TreeOutcome[]> {
    let advances: readonly Advance[] = []
    try {
      const outcomes = await inPipelinedTransaction(this.db.hot, async (tx) => {
        const applied = await applyToTrees(runnerOf(tx), commands, this.host, this.db.clock.offsetMs)
        advances = applied.advances
        return { value: applied.outcomes, sent: applied.writes }
      })
      this.haveCommitted(advances)
      return outcomes
    } catch (error) {
      abandon(advances, this.host)
      throw error
    }
  }

  /** Applies a command once. Rejects with what the database says; a commit whose answer was lost may stand. */
  submitOnce<T>(command: TreeCommand<T>): Promise<TreeOutcome<T>> {
    const { rootId: id, onKept } = command
    const bucket = bucketOf(id)
    if (makesRoot(command)) return this.ofNew.submit({ command, bucket, id }) as Promise<TreeOutcome<T>>
    const commits = onKept && this.kept.has(id) ? this.ofKept : this.commits
    return commits.submit({ command, bucket, id }) as Promise<TreeOutcome<T>>
  }

  /** The same, repeated while the database is away or says that it was in somebody's way. For what is safe to repeat. */
  submit<T>(command: TreeCommand<T>): Promise<TreeOutcome<T>> {
    return whileUnavailable(this.unavailableMs, () => this.submitOnce(command))
  }

  /** What was applied; throws the refusal. */
  async apply<T>(command: TreeCommand<T>): Promise<T> {
    const outcome = await this.submit(command)
    if (outcome.kind === 'refused') throw outcome.error
    if (outcome.kind === 'exists') throw new Error('the command makes no root')
    return outcome.value
  }

  /**
   * Applies a command in a handler's own transaction. Call `committed` once that has committed, `abandon` when it has not.
   */
  async within<T>(tx: UserTransaction, command: TreeCommand<T>) {
    const { host, db } = this
    this.kept.drop(command.rootId)
    const { outcomes, advances, writes } = await applyToTrees(userRunnerOf(tx), [command], host, db.clock.offsetMs)
    await orAbandon(advances, host, Promise.all(writes))
    return {
      outcome: outcomes[0] as TreeOutcome<T>,
      committed: () => {
        for (const advance of advances) {
          advance.outcomes.publish()
          this.on.committed(advance)
          this.on.begin(advance)
        }
      },
      abandon: () => abandon(advances, host),
    }
  }
}

function commandsOf<Command extends TreeCommand>(batch: readonly Batched<Command>[]): Command[] {
  return batch.map(({ command }) => command)
}

function makesRoot(command: TreeCommand): command is Creation {
  return command.create !== undefined
}
