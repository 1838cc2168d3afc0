/** Why the embedded Postgres does not run, told to the person who starts the server, with the way out that always works. */
export class CannotRunPostgres extends Error {
  constructor(problem: string, cause?: unknown) {
    super(`${problem}\nTo use a Postgres of your own instead, set DATABASE_URL (postgres://…).`, { cause })
    this.name = 'CannotRunPostgres'
  }
}

/** The `code` of an error of Node, of Postgres (a SQLSTATE) or of postgres.js; `undefined` for anything else. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
