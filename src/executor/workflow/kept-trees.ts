import { hasEnded } from '../../core/status.ts'
import { shaped } from '../../db/tree/tree-row.ts'
import type { KnownTree } from './loaded-tree.ts'
import type { Tree } from './tree.ts'

/** A larger tree is read again: most of what it has is not looked at. */
const MAX_ROWS_OF_TREE = 100

/** Of all trees together: some 20 MB, and as much again where every result is as large as is kept. */
const MAX_ROWS = 20_000

/** What this node knows of a tree, as of a commit of its own. */
export interface KeptTree extends KnownTree {
  /** When it was so. */
  readonly nowMs: number
}

/**
 * The trees that this node has changed last, so that the next step of a workflow needs neither to lock nor to read it. Whether they
 * are still so is checked by the statement that writes: nobody need be told.
 *
 * Nothing is copied: a commit takes a tree and changes its rows, and nobody else is given it until they are kept anew. Where they are
 * not, because the commit failed, what they have become is worth nothing.
 */
export class KeptTrees {
  /** The one that was used last stands last. */
  private readonly trees = new Map<string, { readonly tree: KeptTree; readonly size: number; taken: boolean }>()
  private rows = 0

  /** Whether the tree is kept, or will be once the commit that has taken it is there. */
  has(rootId: string): boolean {
    return this.trees.has(rootId)
  }

  /** Gives the tree to one commit: `keep` it afterwards, or `drop` it. */
  take(rootId: string): KeptTree | undefined {
    const entry = this.trees.get(rootId)
    if (!entry || entry.taken) return undefined
    entry.taken = true
    return entry.tree
  }

  /** Keeps a tree as a commit has left it, if it is worth keeping. Nobody may change it any more. */
  keep(tree: Tree): void {
    const { root, nowMs, rows, graphs, stepIds } = tree
    this.drop(root.id)
    if (root.kind !== 'WORKFLOW' || hasEnded(root.status) || rows.size > MAX_ROWS_OF_TREE) return
    tree.haveCommitted()
    this.trees.set(root.id, {
      tree: { rows, graphs, stepIds, writtenRoot: shaped(root), nowMs },
      size: rows.size,
      taken: false,
    })
    this.rows += rows.size
    for (const oldest of this.trees.keys()) {
      if (this.rows <= MAX_ROWS) break
      this.drop(oldest)
    }
  }

  drop(rootId: string): void {
    this.rows -= this.trees.get(rootId)?.size ?? 0
    this.trees.delete(rootId)
  }
}
