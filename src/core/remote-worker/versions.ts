/** One version of an action that workers execute, as it was registered. */
export interface KnownVersion {
  readonly version: number
  /** Whether its definition is the one that is asked about. */
  readonly same: boolean
}

/** Which version a worker has that registers a definition; `store`: it is a new one. */
export interface ChosenVersion {
  readonly version: number
  readonly store: boolean
}

/**
 * The version of a definition that a worker registers. One that is known keeps its number while workers of a newer one live: in a
 * rolling deploy the old workers, when they register again, make nothing older the newest. Where no newer one lives, it was
 * rolled back to, and becomes the newest.
 * @param versions of the action, the newest first.
 * @param newestLive the newest version that a live worker has; 0 for none.
 */
export function chooseVersion(versions: readonly KnownVersion[], newestLive: number): ChosenVersion {
  const newest = versions[0]?.version ?? 0
  const same = versions.find((each) => each.same)
  if (same && (same.version === newest || same.version <= newestLive)) return { version: same.version, store: false }
  return { version: newest + 1, store: true }
}
