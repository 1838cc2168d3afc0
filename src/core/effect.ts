/** What a lost outcome means: the three effect classes. The GraphQL enum and the database's type derive from this array. */
export const EFFECTS = ['transactional', 'idempotent', 'unsafe'] as const
export type Effect = (typeof EFFECTS)[number]

export const EFFECT_MEANINGS: Record<Effect, string> = {
  transactional: 'Its writes and its record commit in one transaction: rolled back and executed again, exactly once.',
  idempotent: 'Executed again with the same downstream key.',
  unsafe: 'Never repeated by itself: a probe decides, else the run is INDETERMINATE until an operator does.',
}

/** What a probe found out about an `unsafe` effect whose outcome was lost. */
export type ProbeVerdict<R> =
  /** It happened; this is its result. */
  | { outcome: 'succeeded'; result: R }
  /** It did not happen and will not: the handler may run again. */
  | { outcome: 'not-executed' }
  /** Nobody can tell: the run stays INDETERMINATE until an operator decides. */
  | { outcome: 'unknown' }

/** A symbol, so that no probe of a user says it. */
export const KNOWN = Symbol('known')

/** What a probe of the server's own may say besides. */
export type InnerVerdict<R> =
  | ProbeVerdict<R>
  /** The call is known, and the handler goes on with it instead of making another: that needs no attempt to be left. */
  | { outcome: typeof KNOWN }
