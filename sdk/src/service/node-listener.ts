import type { ActionHandler } from './handler.ts'

/** The part of `IncomingMessage` that is used: no import of Node, so that everything here runs elsewhere too. */
interface NodeRequest extends AsyncIterable<Uint8Array> {
  readonly method?: string | undefined
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

/** The part of `ServerResponse` that is used. */
interface NodeResponse {
  readonly writableFinished: boolean
  writeHead(status: number, headers: Record<string, string>): unknown
  end(body?: string): unknown
  once(event: 'close', listener: () => void): unknown
}

/**
 * The handler as a listener of `node:http`.
 * @param maxBodyBytes larger calls are cut here, and then refused for it by the handler.
 */
export function toNodeListener(
  handler: ActionHandler,
  maxBodyBytes = 8_388_608,
): (req: NodeRequest, res: NodeResponse) => void {
  return (req, res) => {
    respond(handler, req, res, maxBodyBytes).catch(() => {
      // the caller has gone in the middle of its call
      res.end()
    })
  }
}

async function respond(handler: ActionHandler, req: NodeRequest, res: NodeResponse, maxBytes: number): Promise<void> {
  const gone = new AbortController()
  res.once('close', () => {
    if (!res.writableFinished) gone.abort(new Error('The caller has gone'))
  })
  const method = req.method ?? 'GET'
  const headers = new Headers()
  for (const [name, value] of Object.entries(req.headers))
    if (value !== undefined && !name.startsWith(':')) headers.set(name, [value].flat().join(', '))
  const body = method === 'GET' || method === 'HEAD' ? null : await collect(req, maxBytes)
  const response = await handler(new Request('http://service', { method, headers, body, signal: gone.signal }))
  res.writeHead(response.status, Object.fromEntries(response.headers))
  res.end(await response.text())
}

async function collect(req: NodeRequest, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of req) {
    // one byte too many is enough for the handler to refuse it
    if (size <= maxBytes) chunks.push(chunk)
    size += chunk.length
  }
  const body = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    body.set(chunk, at)
    at += chunk.length
  }
  return body
}
