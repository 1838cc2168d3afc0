import { MAX_OUTPUT, MAX_WORK } from './limits.ts'

/** What evaluating a template may still cost. An expression of a stranger runs on the event loop: nothing else stops it. */
export class Budget {
  #work = MAX_WORK
  #output = MAX_OUTPUT

  /** Once it is spent every further call throws, so that an expression that goes on after an error ends as well. */
  spend(work: number): void {
    this.#work -= work
    if (this.#work < 0) throw new Error(`takes more than ${MAX_WORK} operations`)
  }

  /** @param size characters and values that the template gives. */
  give(size: number): void {
    this.#output -= size
    if (this.#output < 0) throw new Error(`gives more than ${MAX_OUTPUT} characters`)
  }

  /** Throws if something went over it, even though `||` or `exists` swallowed that error. */
  check(): void {
    this.spend(0)
    this.give(0)
  }
}
