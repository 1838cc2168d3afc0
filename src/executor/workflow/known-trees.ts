import type { DurableClock } from '../../core/clock.ts'
import { groupBy } from '../../core/group-by.ts'
import { createTrees } from '../../db/tree/create-trees.ts'
import type { NewRoot } from '../../db/tree/insert-roots.ts'
import type { StatementRunner } from '../../db/tree/statement-runner.ts'
import { writeTrees } from '../../db/tree/write-trees.ts'
import { Advance } from './advance.ts'
import type { Host } from './host.ts'
import type { KeptTrees } from './kept-trees.ts'
import { newRoot } from './new-root.ts'
import { Tree } from './tree.ts'
import {
  abandon,
  allOf,
  CHUNK,
  type Commanded,
  changed,
  decideOne,
  orAbandon,
  type TreeCommand,
  type TreeOutcome,
} from './tree-command.ts'

/** What is known of the tree does not do: it is to be locked and read. */
class NotKnown extends Error {}

/** What was done without a lock, once it is committed. A command without an outcome is to be applied under the lock. */
export interface AppliedKnown {
  readonly outcomes: ReadonlyMap<TreeCommand, TreeOutcome>
  readonly advances: readonly Advance[]
}

/**
 * Applies commands on the strength of what this node knows of their trees: without a lock and without a transaction, in one
 * statement that writes nothing unless all of them are still so. Throws `TreeConflict` where they are not.
 */
export async function applyToKept(
  run: StatementRunner,
  commands: readonly TreeCommand[],
  kept: KeptTrees,
  host: Host,
  clock: DurableClock,
): Promise<AppliedKnown> {
  const reading: StatementRunner = (statement, input) => {
    if (statement.writes) throw new NotKnown('a statement that writes needs the lock')
    return run(statement, input)
  }
  const byRoot = groupBy(commands, ({ rootId }) => rootId)
  const trees = [...byRoot].flatMap(([rootId, ofRoot]) => {
    const known = kept.take(rootId)
    if (!known) return []
    const tree = new Tree(rootId, Math.max(known.nowMs, Math.floor(clock.nowMs())), reading, host, known)
    return { advance: new Advance(tree, host, true), commands: ofRoot, root: known.writtenRoot }
  })
  try {
    const { decided, outcomes, advances } = await decideKnown(trees, host)
    if (decided.length === 0) return { outcomes, advances }
    const guards = decided.map(({ root: { bucket, id, fence } }) => ({ bucket, id, fence }))
    const gives = advances.some(({ started }) => started.length > 0)
    const gift = gives ? { workerId: host.workerId, offsetMs: clock.offsetMs } : null
    await orAbandon(advances, host, writeTrees(run, { gift, guards, ...changed(advances) }))
    for (const { advance } of decided) byRoot.delete(advance.tree.root.id)
    return { outcomes, advances }
  } finally {
    // of what is not written, nobody knows any more what it was
    for (const rootId of byRoot.keys()) kept.drop(rootId)
  }
}

/** A command that makes a root. */
export type Creation = TreeCommand & { readonly create: NewRoot }

/**
 * Applies commands to roots that are made for them: decided in memory, and written in one statement that leaves out those that were
 * there. Throws `TreeConflict`, and has written nothing, where this node's lease is lost.
 */
export async function applyToNew(
  run: StatementRunner,
  commands: readonly Creation[],
  host: Host,
  clock: DurableClock,
): Promise<AppliedKnown> {
  const unread: StatementRunner = () => {
    throw new NotKnown('of a root that is made there is nothing to read')
  }
  const nowMs = Math.floor(clock.nowMs())
  const first = new Map(commands.toReversed().map((command) => [command.rootId, command]))
  const trees = [...first.values()].toReversed().map((command) => {
    const tree = new Tree(command.rootId, nowMs, unread, host)
    const root = newRoot(command.create, nowMs)
    tree.admit([root])
    tree.insert(root)
    return { advance: new Advance(tree, host, true), commands: [command], made: command.create }
  })
  const { decided, outcomes, advances } = await decideKnown(trees, host)
  if (decided.length === 0) return { outcomes, advances }
  const { inserts, events } = changed(advances)
  const roots = decided.map(({ advance: { tree, started }, made }) => ({
    row: tree.root,
    made,
    givenTo: started[0]?.row.workerId ?? null,
    offsetMs: clock.offsetMs,
  }))
  const steps = inserts.filter(({ parentId }) => parentId !== null)
  const created = await orAbandon(advances, host, createTrees(run, { roots, steps, events }))
  for (const command of commands)
    if (outcomes.has(command) && !created.has(command.rootId)) outcomes.set(command, { kind: 'exists' })
  const [isNew, wasThere] = partition(advances, ({ tree }) => created.has(tree.root.id))
  abandon(wasThere, host)
  return { outcomes, advances: isNew }
}

/** Decides as much of it as can be decided on what is known, and written in one statement. */
async function decideKnown<T extends Commanded>(trees: readonly T[], host: Host) {
  const outcomes = new Map<TreeCommand, TreeOutcome>()
  const undecided = new Set<T>()
  await orAbandon(
    trees.map(({ advance }) => advance),
    host,
    allOf(
      trees.map(async (one) => {
        try {
          await one.advance.tree.loadGraphs()
          await decideOne(one, outcomes)
        } catch (error) {
          if (!(error instanceof NotKnown)) throw error
          undecided.add(one)
        }
      }),
    ),
  )
  let rows = 0
  for (const one of trees) {
    const { tree } = one.advance
    const refused = one.commands.some((command) => outcomes.get(command)?.kind !== 'applied')
    // what gives no event a number, nobody would notice
    if (refused || tree.events.length === 0) undecided.add(one)
    else if (!undecided.has(one)) rows += tree.size
    if (rows > CHUNK) undecided.add(one)
  }
  const [left, decided] = partition(trees, (one) => undecided.has(one))
  for (const { commands } of left) for (const command of commands) outcomes.delete(command)
  const advances = decided.map(({ advance }) => advance)
  abandon(
    left.map(({ advance }) => advance),
    host,
  )
  return { decided, outcomes, advances }
}

function partition<T>(all: readonly T[], test: (one: T) => boolean): [T[], T[]] {
  return [all.filter(test), all.filter((one) => !test(one))]
}
