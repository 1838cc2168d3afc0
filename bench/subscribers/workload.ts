/** What both servers deliver, and to whom. */

/** The selection is that of the example that watches a run, with what an event says of its step. */
export const WATCH = `subscription($id: ID!, $after: Int) {
  runEvents(id: $id, after: $after) { runId seq at step from to reason attempt data } }`

export const RUNS = 500
export const SUBSCRIBERS = 5_000

/** A moment that processes of one machine agree on, in milliseconds with fractions. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}
