import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { StepSpec } from '../core/workflow/graph.ts'
import type { Target } from './workflow-types.ts'

export type UserFunction = (...args: unknown[]) => unknown

/** The functions of a step as the user wrote them. */
export interface StepFunctions {
  readonly when?: UserFunction | undefined
  readonly input?: UserFunction | undefined
  readonly items?: UserFunction | undefined
  readonly until?: UserFunction | undefined
  readonly key?: UserFunction | undefined
  readonly limitKey?: UserFunction | undefined
  readonly payload?: StandardSchemaV1 | undefined
}

export interface DeclaredStep {
  readonly spec: StepSpec
  readonly functions: StepFunctions
  readonly target?: Target
}

/**
 * The steps of a workflow, in the order of their declaration. A list never changes, yet lists that grow out of each other
 * share one log: a list is its first `length` entries. The longest one appends in place, a shorter one copies, so that a
 * chain of n declarations costs O(n), and looking a key up costs O(1).
 */
export class StepList {
  private constructor(
    private readonly log: DeclaredStep[],
    private readonly places: Map<string, number>,
    readonly length: number,
  ) {}

  static empty(): StepList {
    return new StepList([], new Map(), 0)
  }

  /** The caller has seen to it that the key is new. */
  with(step: DeclaredStep): StepList {
    if (this.log.length > this.length) return this.copy().with(step)
    this.places.set(step.spec.key, this.length)
    this.log.push(step)
    return new StepList(this.log, this.places, this.length + 1)
  }

  private copy(): StepList {
    const log = this.all()
    return new StepList(log, new Map(log.map(({ spec }, place) => [spec.key, place])), log.length)
  }

  /** Where a step is in the list, from 0; -1 when it has none of this key. */
  place(key: string): number {
    const place = this.places.get(key)
    return place === undefined || place >= this.length ? -1 : place
  }

  has(key: string): boolean {
    return this.place(key) >= 0
  }

  get(key: string): DeclaredStep | undefined {
    return this.log[this.place(key)]
  }

  get last(): DeclaredStep | undefined {
    return this.log[this.length - 1]
  }

  all(): DeclaredStep[] {
    return this.log.slice(0, this.length)
  }
}
