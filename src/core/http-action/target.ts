/** Where an action is called, and how. */
export interface HttpTarget {
  readonly url: string
  /** Signing secrets (`whsec_…`) that are valid now, the newest first: a call is signed with each. */
  readonly secrets: readonly string[]
  /** Milliseconds that one call may take. */
  readonly timeoutMs: number
  /** Milliseconds that a service may take after it has answered 202; absent: it must answer at once. */
  readonly callbackMs: number | undefined
}

/** What is wrong with the address of a service; `undefined` for a good one. */
export function urlProblem(url: unknown): string | undefined {
  if (typeof url !== 'string' || !URL.canParse(url))
    return 'is no URL; give one like https://service.example.com/actions'
  const { protocol, username, password, hash } = new URL(url)
  if (protocol !== 'https:' && protocol !== 'http:') return 'must begin with https:// or http://'
  if (username !== '' || password !== '')
    return 'holds a user or a password; calls are authenticated by their signature'
  return hash === '' ? undefined : 'has a fragment, which is never sent'
}

/** Standard Webhooks: the prefix, and 24 to 64 bytes in base64. */
const SECRET = /^whsec_([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** What is wrong with a signing secret, which is not repeated; `undefined` for a good one. */
export function secretProblem(secret: unknown): string | undefined {
  const good = typeof secret === 'string' && SECRET.test(secret)
  const bytes = good ? Buffer.from(secret.slice('whsec_'.length), 'base64').length : 0
  return bytes >= 24 && bytes <= 64 ? undefined : 'must be whsec_ and 24 to 64 bytes in base64'
}
