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
  const read = (key: string | symbol): unknown => {
    if (key === 'params') return scope.params
    if (typeof key === 'symbol' || ASKED_OF_ANY.has(key)) return undefined
    if (!visibility.sees(key)) throw new TypeError(visibility.explain(key))
    return scope.result(key)
  }
  const has = (key: string | symbol) => key === 'params' || (typeof key === 'string' && visibility.sees(key))
  return new Proxy(Object.create(null), {
    get: (_, key) => read(key),
    has: (_, key) => has(key),
    ownKeys: () => ['params', ...visibility.keys()],
    // a getter: listing the members, as Object.keys does, loads none of them
    getOwnPropertyDescriptor: (_, key) =>
      has(key) ? { get: () => read(key), enumerable: true, configurable: true } : undefined,
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
    preventExtensions: () => false,
    setPrototypeOf: () => false,
  })
}
