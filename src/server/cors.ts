import type { IncomingMessage, ServerResponse } from 'node:http'

/** Lets the pages of the configured origins call the API. Keys travel in a header, never in a cookie: no credentials. */
export function allowOrigin(origins: readonly string[], req: IncomingMessage, res: ServerResponse): void {
  const { origin } = req.headers
  if (origins.length === 0) return
  res.setHeader('vary', 'Origin')
  if (origin === undefined || !(origins.includes('*') || origins.includes(origin))) return
  res.setHeader('access-control-allow-origin', origin)
  res.setHeader('access-control-expose-headers', 'Retry-After')
  if (req.method !== 'OPTIONS') return
  res.setHeader('access-control-allow-methods', 'GET, POST')
  res.setHeader('access-control-allow-headers', 'Authorization, Content-Type')
  res.setHeader('access-control-max-age', '600')
}
