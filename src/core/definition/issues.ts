import type { Issue } from '../json.ts'

export type Path = readonly (string | number)[]

/** More are not collected: the first few tell the author what to mend. */
const MAX_ISSUES = 20

/** Collects what is wrong with a definition instead of stopping at the first mistake. */
export class Issues {
  readonly #list: Issue[] = []

  /** @param message goes on after the path: `is 5; it must be …`. */
  add(path: Path, message: string): void {
    if (!this.full) this.#list.push({ path: path.join('.'), message })
  }

  get full(): boolean {
    return this.#list.length >= MAX_ISSUES
  }

  get list(): readonly Issue[] {
    return this.#list
  }
}

/** A value as a message shows it. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 80).toWellFormed()}…` : text
}
