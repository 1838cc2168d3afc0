/** What a lost outcome means: the three effect classes. The GraphQL enum and the database's type derive from this array. */
export const EFFECTS = ['transactional', 'idempotent', 'unsafe'] as const
export type Effect = (typeof EFFECTS)[number]

/** What a probe found out about an `unsafe` effect whose outcome was lost. */
export type ProbeVerdict<R> =
  /** It happened; this is its result. */
  | { outcome: 'succeeded'; result: R }
  /** It did not happen and will not: the handler may run again. */
  | { outcome: 'not-executed' }
  /** Nobody can tell: the run stays INDETERMINATE until an operator decides. */
  | { outcome: 'unknown' }
