import type { Effect } from '../core/effect.ts'
import type { Action } from './define-action.ts'

/** How many runs of an action there is room for. */
export interface Room {
  readonly name: string
  readonly effect: Effect
  readonly slots: number
}

/** How much one worker executes at once, of all actions together and of each. */
export class Slots {
  private used = 0
  private held = 0
  private readonly usedBy = new Map<string, number>()
  private readonly total: number

  constructor(total: number) {
    this.total = total
  }

  /** Takes a slot for one run; false when there is none. Each taken slot is given back exactly once. */
  take(action: Action): boolean {
    // A claim under way may bring as many of a limited action as there is room for.
    if (this.freeFor(action) <= 0 || (this.held > 0 && action.concurrency !== undefined)) return false
    this.occupy(action.name)
    return true
  }

  /** Sets slots aside for a claim under way, whatever it will bring: half of what is free, at least one if there is one. */
  hold(): number {
    this.held = Math.ceil(this.free / 2)
    return this.held
  }

  /** The claim is back: what it brought takes its slots, the others are free again. */
  fill(names: readonly string[]): void {
    this.held = 0
    for (const name of names) this.occupy(name)
  }

  private occupy(name: string): void {
    this.used++
    this.usedBy.set(name, (this.usedBy.get(name) ?? 0) + 1)
  }

  give(name: string): void {
    this.used--
    this.usedBy.set(name, (this.usedBy.get(name) ?? 1) - 1)
  }

  get free(): number {
    return this.total - this.used - this.held
  }

  /** Of these actions, those that there is room for. */
  roomFor(actions: readonly Action[]): Room[] {
    return actions
      .map((action) => ({ name: action.name, effect: action.effect, slots: this.freeFor(action) }))
      .filter(({ slots }) => slots > 0)
  }

  freeFor({ name, concurrency = this.total }: Action): number {
    return Math.min(this.free, concurrency - (this.usedBy.get(name) ?? 0))
  }
}
