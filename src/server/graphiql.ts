import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'

const unzip = promisify(gunzip)

// from src/server and from dist/server alike: dist/ at the package's root
const BUILT_PAGE = new URL('../../dist/graphiql.html.gz', import.meta.url)

const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>GraphiQL is not built</title>
<h1>GraphiQL is not built yet</h1>
<p>Run <code>npm run build</code> once and load this page again. The API itself works without it.</p>
`

export interface GraphiqlPage {
  gzip: Buffer
  etag: string
  contentSecurityPolicy: string
}

let loading: Promise<GraphiqlPage | undefined> | undefined

/** The page that `npm run build` made, kept in memory from the first call on; undefined as long as there is none. */
export async function loadGraphiqlPage(): Promise<GraphiqlPage | undefined> {
  loading ??= readPage(BUILT_PAGE)
  const page = await loading.catch((error: unknown) => {
    loading = undefined
    throw error
  })
  // not remembered: a build may come while the server runs
  if (page === undefined) loading = undefined
  return page
}

export async function sendGraphiql(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const page = await loadGraphiqlPage()
  if (page === undefined) return sendNotBuilt(req, res)

  const validators = { etag: page.etag, 'cache-control': 'no-cache', vary: 'accept-encoding' }
  if (matches(req.headers['if-none-match'], page.etag)) {
    res.writeHead(304, validators).end()
    return
  }
  const zipped = acceptsGzip(req.headers['accept-encoding'])
  const body = zipped ? page.gzip : await unzip(page.gzip)
  const headers = { ...validators, ...(zipped && { 'content-encoding': 'gzip' }) }
  sendHtml(req, res, 200, body, page.contentSecurityPolicy, headers)
}

async function readPage(file: URL): Promise<GraphiqlPage | undefined> {
  const gzip = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (gzip === undefined) return undefined
  const html = (await unzip(gzip)).toString()
  // weak: the compressed and the plain page share it
  const etag = `W/"${createHash('sha256').update(gzip).digest('base64url').slice(0, 22)}"`
  return { gzip, etag, contentSecurityPolicy: contentSecurityPolicy(html) }
}

/**
 * Only the page's own scripts run, known by their hashes, and they reach this origin only. The editor writes style
 * elements as it goes, carries its fonts and images as data, and starts its workers from blobs.
 */
function contentSecurityPolicy(html: string): string {
  const scripts = Array.from(html.matchAll(/<script>([\s\S]*?)<\/script>/g), ([, source = '']) => source)
  const hashes = scripts.map((source) => `'sha256-${createHash('sha256').update(source).digest('base64')}'`)
  return [
    "default-src 'none'",
    `script-src ${hashes.join(' ')}`,
    "style-src 'unsafe-inline'",
    'font-src data:',
    'img-src data:',
    'worker-src blob:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

function sendNotBuilt(req: IncomingMessage, res: ServerResponse): void {
  const policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  sendHtml(req, res, 503, Buffer.from(NOT_BUILT), policy, { 'cache-control': 'no-store' })
}

function sendHtml(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  body: Buffer,
  policy: string,
  headers: OutgoingHttpHeaders,
): void {
  res.writeHead(status, {
    ...headers,
    'content-type': 'text/html; charset=utf-8',
    'content-length': body.byteLength,
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
  })
  res.end(req.method === 'HEAD' ? undefined : body)
}

/** Without the header a client means plain text, as curl does; `gzip;q=0` refuses it. */
function acceptsGzip(header: string | string[] | undefined): boolean {
  const offers = String(header ?? '')
    .toLowerCase()
    .split(',')
    .map((offer) => offer.split(';').map((part) => part.trim()))
  const offer = offers.find(([name]) => name === 'gzip') ?? offers.find(([name]) => name === '*')
  return offer !== undefined && !offer.some((part) => /^q=0(\.0*)?$/.test(part))
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  const bare = etag.replace('W/', '')
  return header.split(',').some((one) => one.trim() === '*' || one.trim().replace('W/', '') === bare)
}
