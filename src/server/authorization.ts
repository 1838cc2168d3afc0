/** The key of an `Authorization: Bearer …` header; `undefined` for anything else. */
export function bearerToken(header: unknown): string | undefined {
  if (typeof header !== 'string') return undefined
  return /^Bearer +(\S+) *$/i.exec(header)?.[1]
}
