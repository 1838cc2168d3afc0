/** Larger params are read anew: a few of them would take the room of all the others. */
const MAX_CHARACTERS = 16_384

/** So many workflows are under way on a node before the longest unused are forgotten. */
const MAX_ENTRIES = 2_000

/** The params of workflows that this node advances, as their schemas read them: they do not change while a workflow runs. */
export class ParamsCache {
  private readonly entries = new Map<string, { readonly value: unknown }>()

  get(key: string): { readonly value: unknown } | undefined {
    const entry = this.entries.get(key)
    if (!entry) return undefined
    this.entries.delete(key)
    this.entries.set(key, entry)
    return entry
  }

  /** @param characters of their JSON text. */
  set(key: string, entry: { readonly value: unknown }, characters: number): void {
    if (characters > MAX_CHARACTERS) return
    this.entries.set(key, entry)
    if (this.entries.size <= MAX_ENTRIES) return
    for (const oldest of this.entries.keys()) {
      this.entries.delete(oldest)
      return
    }
  }
}
