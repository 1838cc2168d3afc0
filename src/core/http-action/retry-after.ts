/** A service that asks for more waits no longer: a run must not be parked for years by a slip of another clock. */
const MAX_RETRY_AFTER_MS = 86_400_000

/** One of the three forms of RFC 9110, all of which begin with a day of the week. */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/

/**
 * Milliseconds that a `Retry-After` asks for, at most a day; `undefined` where it says nothing that can be understood.
 * A date is reckoned from the answer's own `Date`, so that the two clocks need not agree.
 */
export function retryAfterMs(header: string | undefined, date: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  const text = header.trim()
  if (/^\d{1,15}$/.test(text)) return Math.min(Number(text) * 1_000, MAX_RETRY_AFTER_MS)
  const at = httpDateMs(text)
  if (at === undefined) return undefined
  const from = httpDateMs(date?.trim() ?? '') ?? nowMs
  return Math.min(Math.max(0, at - from), MAX_RETRY_AFTER_MS)
}

function httpDateMs(text: string): number | undefined {
  if (!HTTP_DATE.test(text)) return undefined
  // the oldest form names no zone; all three mean UTC
  const ms = Date.parse(/GMT$/.test(text) ? text : `${text} GMT`)
  return Number.isNaN(ms) ? undefined : ms
}
