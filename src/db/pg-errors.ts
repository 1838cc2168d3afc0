/** What a database error means for whoever must decide what to do next. */
export type DatabaseFault =
  /** The connection or the server went away; whether a commit happened is unknown. Repeat what is safe to repeat. */
  | 'unavailable'
  /** Rolled back by the database to keep others going: repeat. */
  | 'conflict'
  /** The values cannot be stored: repeating cannot help. */
  | 'data'
  /** Anything else: a bug, or a missing right. */
  | 'other'

const UNAVAILABLE = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  'CONNECTION_CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/** Names the fault behind an error of postgres.js or drizzle, by SQLSTATE or by the socket's code. */
export function databaseFault(error: unknown): DatabaseFault {
  const code = sqlStateOf(error)
  if (code === undefined) return 'other'
  // 08 connection exceptions, 57P0x the server stops or starts, 53 out of connections, memory or disk
  // 25006: a standby that was a primary until a moment ago
  if (
    UNAVAILABLE.has(code) ||
    code === '25006' ||
    code.startsWith('08') ||
    code.startsWith('57P0') ||
    code.startsWith('53')
  )
    return 'unavailable'
  if (code === '40001' || code === '40P01' || code === '55P03') return 'conflict'
  if (code.startsWith('22') || code.startsWith('23') || code === '54000') return 'data'
  return 'other'
}

/** Whether the connection itself broke, rather than that the server refused something over it. */
export function isConnectionLoss(error: unknown): boolean {
  return UNAVAILABLE.has(sqlStateOf(error) ?? '')
}

/** SQLSTATE or socket code; drizzle keeps it in `cause`. */
export function sqlStateOf(error: unknown): string | undefined {
  return memberOf(error, 'code')
}

/** The constraint that a row would have violated. */
export function constraintOf(error: unknown): string | undefined {
  return memberOf(error, 'constraint_name')
}

function memberOf(error: unknown, member: string): string | undefined {
  for (let e: unknown = error, depth = 0; e instanceof Error && depth < 5; e = e.cause, depth++) {
    const value = Reflect.get(e, member)
    if (typeof value === 'string') return value
  }
  return undefined
}

/** Whether the statement is worth repeating as it is. */
export function isTransient(error: unknown): boolean {
  const fault = databaseFault(error)
  return fault === 'unavailable' || fault === 'conflict'
}
