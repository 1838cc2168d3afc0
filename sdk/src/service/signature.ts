/** Standard Webhooks with WebCrypto: https://www.standardwebhooks.com. Verification only; the server signs. */

/** A key of HMAC-SHA256, ready to verify with. */
export type SigningKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

const HMAC = { name: 'HMAC', hash: 'SHA-256' }

/** @param secret `whsec_` and base64. Rejects with a `TypeError` for anything else. */
export async function importSecret(secret: string): Promise<SigningKey> {
  const bytes = secret.startsWith('whsec_') ? fromBase64(secret.slice('whsec_'.length)) : undefined
  if (!bytes || bytes.length < 24) throw new TypeError('secret must be whsec_ and 24 bytes or more in base64')
  return await crypto.subtle.importKey('raw', bytes, HMAC, false, ['verify'])
}

/** What is signed besides the body. */
export interface SignedHeaders {
  readonly id: string
  /** Seconds since 1970, as the header has them. */
  readonly timestamp: string
  /** `v1,…` for each secret that the sender has, separated by spaces. */
  readonly signatures: string
}

/** A header of more signatures than this is not looked at to its end. */
const MAX_SIGNATURES = 8

/** Whether one of the signatures was made with one of the keys. Takes the same time for every wrong signature of a key. */
export async function isSigned(
  headers: SignedHeaders,
  body: Uint8Array,
  keys: readonly SigningKey[],
): Promise<boolean> {
  const signed = concat(new TextEncoder().encode(`${headers.id}.${headers.timestamp}.`), body)
  for (const signature of headers.signatures.split(' ').slice(0, MAX_SIGNATURES)) {
    const bytes = signature.startsWith('v1,') ? fromBase64(signature.slice(3)) : undefined
    if (!bytes) continue
    for (const key of keys) if (await crypto.subtle.verify(HMAC, key, bytes, signed)) return true
  }
  return false
}

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(head.length + tail.length)
  whole.set(head)
  whole.set(tail, head.length)
  return whole
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
  } catch {
    return undefined
  }
}
