import type { DoOptions } from './types.ts'

/** The options with every default filled in. */
export interface Config {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly fetch: typeof globalThis.fetch
  readonly timeout: number
  readonly retries: number
}

const DEFAULT_URL = 'http://localhost:4000/graphql'

/** Fills in the defaults. Throws a `TypeError` or `RangeError` for options that make no sense; the key is never in its message. */
export function configure(options: DoOptions): Config {
  const apiKey = (options.apiKey || environment('DO_API_KEY'))?.trim()
  if (apiKey && !/^[\x21-\x7e]+$/.test(apiKey))
    throw new TypeError('Do: the API key contains a space or another character that cannot be sent')
  return {
    url: endpoint(options.url || environment('DO_URL') || DEFAULT_URL),
    headers: { ...lowerCased(options.headers), ...(apiKey && { authorization: `Bearer ${apiKey}` }) },
    // called through the global object: browsers refuse a fetch that has lost its `this`
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    timeout: atLeastZero('timeout', options.timeout ?? 60_000),
    retries: atLeastZero('retries', options.retries ?? 6),
  }
}

/** Absolute, or relative to the page in a browser. The server has its dashboard at `/` and GraphQL at `/graphql`. */
function endpoint(given: string | URL): string {
  const page = (globalThis as { location?: { href?: string } }).location?.href
  const url = URL.canParse(given, page) ? new URL(given, page) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) throw new TypeError('Do: url must be an http or https URL')
  if (url.username || url.password)
    throw new TypeError('Do: put the key in apiKey; fetch refuses credentials in the url')
  if (url.pathname === '/') url.pathname = '/graphql'
  url.hash = ''
  return url.href
}

/** A variable of the environment, where there is one; Deno throws when it may not be read. */
function environment(name: string): string | undefined {
  try {
    return (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.[name]
  } catch {
    return undefined
  }
}

function atLeastZero(name: string, value: number): number {
  if (!(value >= 0)) throw new RangeError(`Do: ${name} is ${value}; it must be 0 or more`)
  return value
}

/** One spelling for each name: the same header under two would be sent as both values. */
function lowerCased(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
