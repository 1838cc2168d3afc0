import { hasEnded } from '../../core/status.ts'
import { type TreeRow, writtenRow } from '../../db/tree/tree-row.ts'
import type { Tree } from './tree.ts'

/** A larger tree is read again: most of what it has is not looked at. */
const MAX_ROWS_OF_TREE = 100

/** Of all trees together: some 20 MB. */
const MAX_ROWS = 20_000

/** What this node knows of a tree, as of a commit of its own. */
export interface KeptTree {
  readonly rows: readonly TreeRow[]
  /** Of the root, when they were so. */
  readonly fence: number
  readonly nowMs: number
}

/**
 * The trees that this node has changed last, so that the next step of a workflow needs neither to lock nor to read it. Whether they
 * are still so is checked by the statement that writes: nobody need be told.
 */
export class KeptTrees {
  /** The one that was used last stands last. */
  private readonly trees = new Map<string, KeptTree>()
  private rows = 0

  has(rootId: string): boolean {
    return this.trees.has(rootId)
  }

  get(rootId: string): KeptTree | undefined {
    return this.trees.get(rootId)
  }

  /** Keeps a tree as a commit has left it, if it is worth keeping. */
  keep(tree: Tree): void {
    const { root, nowMs } = tree
    this.drop(root.id)
    const rows = [...tree.all()]
    if (root.kind !== 'WORKFLOW' || hasEnded(root.status) || rows.length > MAX_ROWS_OF_TREE) return
    this.trees.set(root.id, { rows: rows.map(writtenRow), fence: root.fence, nowMs })
    this.rows += rows.length
    for (const oldest of this.trees.keys()) {
      if (this.rows <= MAX_ROWS) break
      this.drop(oldest)
    }
  }

  drop(rootId: string): void {
    this.rows -= this.trees.get(rootId)?.rows.length ?? 0
    this.trees.delete(rootId)
  }
}
