import type { Scope } from '../core/workflow/logic.ts'
import type { StepList } from './workflow-step-list.ts'

/** Which results the functions of a step, or of a whole workflow, may ask for. */
export interface Visibility {
  sees(key: string): boolean
  keys(): string[]
  /** Why it does not see a key. */
  explain(key: string): string
}

/**
 * What comes before what. Answered by walking backwards when asked: sets of ancestors would take O(n²) memory for a chain.
 * Only the answers are kept, and they shorten later walks, so that a chain whose every step looks at the first costs O(n).
 */
export class Ancestry {
  private readonly answers = new Map<string, Map<string, boolean>>()

  constructor(private readonly steps: StepList) {}

  isBefore(key: string, step: string): boolean {
    const known = this.answers.get(step)?.get(key)
    if (known !== undefined) return known
    const answer = this.steps.has(key) && this.search(key, step)
    if (!this.answers.has(step)) this.answers.set(step, new Map())
    this.answers.get(step)?.set(key, answer)
    return answer
  }

  private search(key: string, step: string): boolean {
    const place = this.steps.place(key)
    const seen = new Set<string>()
    const open = [step]
    for (let at = open.pop(); at !== undefined; at = open.pop())
      for (const before of this.after(at)) {
        if (before === key || this.answers.get(before)?.get(key)) return true
        // a step comes after those that it depends on: nothing declared before the key leads to it
        if (seen.has(before) || this.steps.place(before) < place) continue
        seen.add(before)
        open.push(before)
      }
    return false
  }

  /** Every step before this one, the nearest first. */
  before(step: string): string[] {
    const found = new Set<string>([step])
    // a Set goes on to what is added while it is walked
    for (const at of found) for (const before of this.after(at)) found.add(before)
    found.delete(step)
    return [...found]
  }

  /** What the functions of this step see. */
  seenBy(step: string): Visibility {
    return {
      sees: (key) => this.isBefore(key, step),
      keys: () => this.before(step),
      explain: (key) =>
        this.steps.has(key)
          ? `step ${JSON.stringify(key)} is not before ${JSON.stringify(step)}`
          : `there is no step ${JSON.stringify(key)}`,
    }
  }

  private after(step: string): readonly string[] {
    return this.steps.get(step)?.spec.after ?? []
  }
}

/** What the function that computes a workflow's result sees. */
export function everything(steps: StepList): Visibility {
  return {
    sees: (key) => steps.has(key),
    keys: () => steps.all().map(({ spec }) => spec.key),
    explain: (key) => `there is no step ${JSON.stringify(key)}`,
  }
}

/** JavaScript asks these of any object, to learn whether it is a promise or has a JSON of its own; no step is called so. */
const ASKED_OF_ANY = new Set<string | symbol>(['then', 'toJSON'])

/**
 * The object that the user's functions get: `params`, and a member for each step before. A result is looked up when its
 * member is read, and what `scope.result` throws goes through. Throws a `TypeError` for any other member.
 */
export function viewOf(scope: Scope, visibility: Visibility): object {
  return new Proxy(NOTHING, new View(scope, visibility))
}

/** What stands behind every view: nobody can change it through one. */
const NOTHING = Object.create(null) as object

/** The traps of a view; those of all views are the same functions, since a view is made for each call. */
class View implements ProxyHandler<object> {
  private readonly scope: Scope
  private readonly visibility: Visibility

  constructor(scope: Scope, visibility: Visibility) {
    this.scope = scope
    this.visibility = visibility
  }

  get(_: object, key: string | symbol): unknown {
    if (key === 'params') return this.scope.params
    if (typeof key === 'symbol' || ASKED_OF_ANY.has(key)) return undefined
    if (!this.visibility.sees(key)) throw new TypeError(this.visibility.explain(key))
    return this.scope.result(key)
  }

  has(_: object, key: string | symbol): boolean {
    return key === 'params' || (typeof key === 'string' && this.visibility.sees(key))
  }

  ownKeys(): string[] {
    return ['params', ...this.visibility.keys()]
  }

  /** A getter: listing the members, as Object.keys does, loads none of them. */
  getOwnPropertyDescriptor(nothing: object, key: string | symbol): PropertyDescriptor | undefined {
    if (!this.has(nothing, key)) return undefined
    return { get: () => this.get(nothing, key), enumerable: true, configurable: true }
  }

  set(): boolean {
    return false
  }

  defineProperty(): boolean {
    return false
  }

  deleteProperty(): boolean {
    return false
  }

  preventExtensions(): boolean {
    return false
  }

  setPrototypeOf(): boolean {
    return false
  }
}
