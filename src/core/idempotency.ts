import { hash } from 'node:crypto'
import canonicalize from 'canonicalize'

/** The longest idempotency key, in characters (Unicode code points). */
export const MAX_KEY_LENGTH = 255

/**
 * SHA-256 over the RFC 8785 canonical JSON of the params as the caller gave them, before defaults. So the order of
 * members, white space and the notation of a number do not matter; `null`, an absent member and a default given in full
 * are three different things.
 */
export function fingerprint(params: unknown): Buffer {
  return Buffer.from(fingerprintHex(params), 'hex')
}

/** The same in hexadecimal. */
export function fingerprintHex(params: unknown): string {
  const canonical = canonicalize(params)
  if (canonical === undefined) throw new TypeError('fingerprint: the value is not JSON')
  return hash('sha256', canonical, 'hex')
}

/** What is wrong with an idempotency key; `undefined` for a good one: 1 to 255 printable characters. */
export function idempotencyKeyProblem(key: string): string | undefined {
  if (key.length === 0) return 'is empty; leave it out to make each call a new intent'
  // a code point takes one unit or two: a short key need not be counted
  if (key.length > MAX_KEY_LENGTH && [...key].length > MAX_KEY_LENGTH)
    return `is longer than ${MAX_KEY_LENGTH} characters`
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(key)) return 'contains a control character'
  if (!key.isWellFormed()) return 'contains a lone surrogate, which is not Unicode text'
  return undefined
}
