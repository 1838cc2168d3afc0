/**
 * What is nearly always there at once, and a promise of it elsewhere. An `await` of what is there costs a microsecond and a few
 * hundred bytes: where each of thousands of attempts a second would pay for that, it is asked first.
 */
export type Eventually<T> = T | Promise<T>

export function isPromise<T>(value: Eventually<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** What `next` makes of a value, at once where that is there. */
export function chain<T, R>(value: Eventually<T>, next: (value: T) => R): Eventually<R> {
  return isPromise(value) ? value.then(next) : next(value)
}
