/** 200 bytes of params, as every contender gets them. */
export const PARAMS = { text: 'x'.repeat(188) }

export const RESULT = { ok: true }

let executed = 0

/** What every contender executes: nothing. Counts how often it did, to tell executions from replays. */
export function noop(): typeof RESULT {
  executed++
  return RESULT
}

/** How often this process has executed the handler. */
export function executions(): number {
  return executed
}
