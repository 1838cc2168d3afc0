import { type Issues, type Path, shown } from './issues.ts'

/** A JSON object. Its prototype may be anything: read own members only. */
export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads the members of one object of a definition, and notes what does not fit. `undefined` stands for absent or wrong. */
export class Members {
  readonly #object: JsonObject
  readonly #path: Path
  readonly #issues: Issues

  constructor(object: JsonObject, path: Path, issues: Issues) {
    this.#object = object
    this.#path = path
    this.#issues = issues
  }

  /** Notes every member that is none of these. */
  allow(allowed: ReadonlySet<string>, what: string): void {
    for (const member of Object.keys(this.#object))
      if (!allowed.has(member)) this.#issues.add(this.at(member), `is no member of ${what}`)
  }

  at(member: string): Path {
    return [...this.#path, member]
  }

  has(member: string): boolean {
    return Object.hasOwn(this.#object, member)
  }

  get(member: string): unknown {
    return this.has(member) ? this.#object[member] : undefined
  }

  wrong(member: string, problem: string): undefined {
    this.#issues.add(this.at(member), problem)
  }

  /** A member that must be what `fits` asks for. */
  #read<T>(member: string, fits: (value: unknown) => value is T, expected: string): T | undefined {
    if (!this.has(member)) return undefined
    const value = this.#object[member]
    return fits(value) ? value : this.wrong(member, `is ${shown(value)}; it must be ${expected}`)
  }

  object(member: string): JsonObject | undefined {
    return this.#read(member, isObject, 'an object')
  }

  text(member: string, max: number): string | undefined {
    const fits = (value: unknown) => typeof value === 'string' && value.length >= 1 && value.length <= max
    return this.#read(member, (value): value is string => fits(value), `a text of 1 to ${max} characters`)
  }

  flag(member: string): boolean | undefined {
    return this.#read(member, (value): value is boolean => typeof value === 'boolean', 'true or false')
  }

  whole(member: string, min: number, max: number): number | undefined {
    const fits = (value: unknown): value is number =>
      Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
    return this.#read(member, fits, `a whole number of ${min} to ${max}`)
  }

  choice<T extends string>(member: string, choices: readonly T[]): T | undefined {
    const fits = (value: unknown): value is T => choices.includes(value as T)
    return this.#read(member, fits, `one of ${choices.join(', ')}`)
  }

  /** A list of texts, none of them twice. */
  texts(member: string): string[] | undefined {
    const fits = (value: unknown): value is string[] =>
      Array.isArray(value) && value.every((each) => typeof each === 'string')
    const list = this.#read(member, fits, 'a list of texts')
    const seen = new Set<string>()
    for (const [index, text] of (list ?? []).entries()) {
      if (seen.has(text)) this.#issues.add([...this.at(member), index], `names ${shown(text)} twice`)
      seen.add(text)
    }
    return list
  }

  name(member: string, pattern: RegExp, max: number): string | undefined {
    const fits = (value: unknown): value is string =>
      typeof value === 'string' && value.length <= max && pattern.test(value)
    return this.#read(member, fits, `a name of at most ${max} characters like ${pattern.source}`)
  }
}

/** An object with the members that are not undefined, for `exactOptionalPropertyTypes`. */
export function defined<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof defined<T>
  >
}
