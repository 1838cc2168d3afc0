import { groupBy } from '../../core/group-by.ts'
import { bucketOf } from '../../core/ids.ts'
import { RequestError } from '../../core/request-errors.ts'
import { packed } from '../../db/event-packs.ts'
import { insertRoots, type NewRoot } from '../../db/tree/insert-roots.ts'
import { lockTrees } from '../../db/tree/lock-trees.ts'
import { readTreeRows } from '../../db/tree/read-tree.ts'
import type { StatementRunner } from '../../db/tree/statement-runner.ts'
import { type TreeChanges, writeTrees } from '../../db/tree/write-trees.ts'
import { Advance } from './advance.ts'
import type { Host } from './host.ts'
import { Tree } from './tree.ts'

/** Something that happens to a tree. Applied under the lock of its root, together with whatever else is in the batch. */
export interface TreeCommand<T = unknown> {
  readonly rootId: string
  /** Makes the root first; where it exists already, the command is not applied and its outcome is `exists`. */
  readonly create?: NewRoot
  /** The rows that it will look at: they are read together with those of the others, where they are not known. */
  rows(): readonly string[]
  /** It only changes the tree, and may be applied to what this node knows of it. */
  readonly onKept?: boolean
  /**
   * Decides what happens. Throws a `RequestError` before it has changed anything; any other error takes the transaction
   * with it.
   */
  apply(advance: Advance): Promise<T> | T
}

export type TreeOutcome<T = unknown> =
  | { readonly kind: 'applied'; readonly value: T; readonly nowMs: number }
  | { readonly kind: 'exists' }
  | { readonly kind: 'refused'; readonly error: RequestError }

/** What a transaction has done, once its commit is there. */
export interface AppliedTrees {
  readonly outcomes: TreeOutcome[]
  readonly advances: Advance[]
  /** The statements that write it: sent, and not awaited. */
  readonly writes: Promise<void>[]
}

/**
 * Applies commands to their trees in the transaction of `run`: locks the roots in order, reads what is needed, decides in
 * memory, and sends off what is to be written. On an error what was reserved on this node is given back.
 */
export async function applyToTrees(
  run: StatementRunner,
  commands: readonly TreeCommand[],
  host: Host,
  offsetMs: number,
): Promise<AppliedTrees> {
  const advances: Advance[] = []
  return await orAbandon(advances, host, apply(run, commands, host, offsetMs, advances))
}

/** What the work comes to; where it fails, what was reserved for these trees is given back. */
export async function orAbandon<T>(advances: readonly Advance[], host: Host, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    abandon(advances, host)
    throw error
  }
}

/** Gives back what was reserved for runs that will not begin: the transaction was rolled back. */
export function abandon(advances: readonly Advance[], host: Host): void {
  for (const { started } of advances)
    for (const { row, action } of started.splice(0)) {
      host.begins.drop(row.id)
      host.release(action)
    }
}

async function apply(
  run: StatementRunner,
  commands: readonly TreeCommand[],
  host: Host,
  offsetMs: number,
  advances: Advance[],
): Promise<AppliedTrees> {
  const creations = commands.flatMap(({ create }) => create ?? [])
  const created = creations.length > 0 ? await insertRoots(run, creations, offsetMs) : new Set<string>()
  const live = commands.filter(({ create }) => !create || created.has(create.id))
  const byRoot = groupBy(live, ({ rootId }) => rootId)
  const rootIds = [...byRoot.keys()].map((id) => ({ bucket: bucketOf(id), id }))
  // sent together: the second statement sees what the lock of the first protects
  const [{ nowMs, leased }, rows] = await Promise.all([
    lockTrees(run, rootIds, host.workerId, offsetMs),
    readTreeRows(run, [...new Set(live.flatMap((command) => [command.rootId, ...command.rows()]))]),
  ])
  const rowsByRoot = groupBy(rows, (row) => row.rootId)
  const trees = [...byRoot].map(([rootId, ofRoot]) => {
    const tree = new Tree(rootId, nowMs, run, host)
    tree.admit(rowsByRoot.get(rootId) ?? [])
    const advance = new Advance(tree, host, leased)
    advances.push(advance)
    return { advance, commands: ofRoot }
  })
  const outcomes = await decide(trees)
  const writes = changesOf(advances).map((changes) => writeTrees(run, changes))
  return { outcomes: commands.map((command) => outcomes.get(command) ?? { kind: 'exists' }), advances, writes }
}

/** A tree with what is to be done to it. */
export interface Commanded {
  readonly advance: Advance
  readonly commands: readonly TreeCommand[]
}

/** Applies commands to trees that are at hand, side by side. */
async function decide(trees: readonly Commanded[]): Promise<Map<TreeCommand, TreeOutcome>> {
  const outcomes = new Map<TreeCommand, TreeOutcome>()
  await allOf(
    trees.map(async (tree) => {
      const { tree: rows } = tree.advance
      await rows.loadGraphs()
      await rows.load([...rows.all()].flatMap(({ parentId }) => parentId ?? []))
      await decideOne(tree, outcomes)
    }),
  )
  return outcomes
}

/** All of them, also when one fails: nothing may go on reserving once the others are given back. */
export async function allOf(work: readonly Promise<void>[]): Promise<void> {
  for (const settled of await Promise.allSettled(work)) if (settled.status === 'rejected') throw settled.reason
}

/** Applies the commands of a tree whose rows are at hand with all those above them, in their order. */
export async function decideOne(
  { advance, commands }: Commanded,
  outcomes: Map<TreeCommand, TreeOutcome>,
): Promise<void> {
  for (const command of commands) outcomes.set(command, await applyOne(command, advance))
}

async function applyOne(command: TreeCommand, advance: Advance): Promise<TreeOutcome> {
  const before = advance.tree.events.length
  try {
    const value = await command.apply(advance)
    await advance.settle()
    return { kind: 'applied', value, nowMs: advance.tree.nowMs }
  } catch (error) {
    if (!(error instanceof RequestError) || advance.tree.events.length > before) throw error
    return { kind: 'refused', error }
  }
}

/** So many rows in one statement: a larger tree takes several. */
export const CHUNK = 2_000

/** What the trees have changed, in as many parts as it takes statements to write it. */
function changesOf(advances: readonly Advance[]): TreeChanges[] {
  const { inserts, events, updates, attempts } = changed(advances)
  const parts: TreeChanges[] = []
  for (let i = 0; i < Math.max(inserts.length, events.length, updates.length, attempts.length); i += CHUNK)
    parts.push({
      gift: null,
      guards: [],
      inserts: inserts.slice(i, i + CHUNK),
      events: events.slice(i, i + CHUNK),
      updates: updates.slice(i, i + CHUNK),
      attempts: attempts.slice(i, i + CHUNK),
    })
  return parts
}

/** What the trees have changed, for whoever knows them to learn that they have. */
export function changed(advances: readonly Advance[]): Omit<TreeChanges, 'gift' | 'guards'> {
  const trees = advances.map(({ tree }) => tree).filter(({ changed }) => changed)
  for (const tree of trees) tree.renew()
  return {
    inserts: trees.flatMap((tree) => tree.inserts),
    events: trees.flatMap((tree) => packed(tree.events)),
    updates: trees.flatMap((tree) => tree.updates),
    attempts: trees.flatMap((tree) => tree.attempts),
  }
}
