import type { RunRow } from '../db/rows.ts'

/**
 * Called when a root changed; with the run as it now stands where the one who changed it knows. `moving`: the root itself has
 * not come to rest with the change.
 */
export type Wake = (run?: RunRow, moving?: boolean) => void

/** In the place of a root: more of them changed than a hint holds. */
export const MANY_ROOTS = '*'

/** What one node tells the others. Only ever a hint: everything is found without it, later. */
export interface Hint {
  /** Roots that changed. */
  roots: string[]
  /** Names whose queue got work. */
  queued: string[]
  /** Runs that were canceled while they ran. */
  canceled: string[]
}

/** Wakes whoever waits for a root on this node. Knows nothing of the database. */
export class Hub {
  private readonly wakes = new Map<string, Set<Wake>>()
  private readonly all = new Set<(rootIds: readonly string[]) => void>()
  private outgoing: ((hint: Partial<Hint>) => void) | undefined

  /** Calls `wake` whenever the root may have changed, until the returned function is called. */
  watch(rootId: string, wake: Wake): () => void {
    const wakes = this.wakes.get(rootId) ?? new Set()
    wakes.add(wake)
    this.wakes.set(rootId, wakes)
    return () => {
      wakes.delete(wake)
      if (wakes.size === 0 && this.wakes.get(rootId) === wakes) this.wakes.delete(rootId)
    }
  }

  /** Calls `changed` with every root that is heard of, until the returned function is called. */
  watchAll(changed: (rootIds: readonly string[]) => void): () => void {
    this.all.add(changed)
    return () => this.all.delete(changed)
  }

  /** This node committed a change: wakes its own and tells the others. */
  announce(rootId: string, run?: RunRow, moving?: boolean): void {
    this.wake(rootId, run, moving)
    for (const changed of this.all) changed([rootId])
    this.outgoing?.({ roots: [rootId] })
  }

  /** Another node committed changes. */
  heard(rootIds: readonly string[]): void {
    const named = rootIds.filter((rootId) => rootId !== MANY_ROOTS)
    if (named.length < rootIds.length) this.wakeEveryone()
    else for (const rootId of named) this.wake(rootId)
    for (const changed of this.all) changed(named)
  }

  /** Something may have been missed: everybody looks. */
  wakeEveryone(): void {
    for (const rootId of [...this.wakes.keys()]) this.wake(rootId)
  }

  get watching(): boolean {
    return this.wakes.size > 0
  }

  /** Where announcements go besides. */
  connect(outgoing: (hint: Partial<Hint>) => void): void {
    this.outgoing = outgoing
  }

  private wake(rootId: string, run?: RunRow, moving?: boolean): void {
    for (const wake of this.wakes.get(rootId) ?? []) wake(run, moving)
  }
}
