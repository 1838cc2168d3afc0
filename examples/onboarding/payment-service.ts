import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { type Answer, type Charge, openLedger, problem } from './payment-ledger.ts'

const Behavior = z.object({
  /**
   * - `slow` charges at once and answers after `delayMs`
   * - `fail` answers 500 and charges nothing
   * - `decline` answers 402 and charges nothing
   * - `lose-answer` charges, then cuts the connection
   * - `busy` answers 429 with `Retry-After: 1` and charges nothing
   */
  mode: z.enum(['ok', 'slow', 'fail', 'decline', 'lose-answer', 'busy']),
  /** Default 1000. */
  delayMs: z.int().nonnegative().optional(),
  /** Only for so many of the next `POST /charges`, then `ok`; absent: until told otherwise. */
  times: z.int().positive().optional(),
})
type Behavior = z.input<typeof Behavior>

/** One `POST /charges`, recorded when it comes in. */
interface PaymentRequest {
  idempotencyKey: string | null
  at: string
  /** null while it is worked on. */
  answered: number | 'lost' | null
}

/** A payment service as one finds it in the world: it deduplicates by `Idempotency-Key`, and has bad days on demand. */
export async function startPaymentService(options: { port?: number; storeFile?: string | undefined } = {}) {
  const ledger = openLedger(options.storeFile)
  const requests: PaymentRequest[] = []
  const stopping = new AbortController()
  let behavior: Behavior = { mode: 'ok' }

  function nextBehavior(): Behavior {
    const now = behavior
    if (now.times !== undefined) behavior = now.times > 1 ? { ...now, times: now.times - 1 } : { mode: 'ok' }
    return now
  }

  async function postCharge(request: IncomingMessage): Promise<Answer | 'lost'> {
    const key = request.headers['idempotency-key']?.toString()
    const entry: PaymentRequest = { idempotencyKey: key ?? null, at: new Date().toISOString(), answered: null }
    requests.push(entry)
    const { mode, delayMs = 1000 } = nextBehavior()
    const answer = troubled(mode) ?? ledger.charge(key, await body(request), mode === 'decline')
    if (mode === 'slow') await sleep(delayMs, undefined, { signal: stopping.signal })
    entry.answered = mode === 'lose-answer' ? 'lost' : answer.status
    return mode === 'lose-answer' ? 'lost' : answer
  }

  async function postBehavior(request: IncomingMessage): Promise<Answer> {
    const told = Behavior.safeParse(await body(request))
    if (!told.success) return problem(400, 'invalid_request', z.prettifyError(told.error))
    behavior = told.data
    return { status: 200, body: behavior }
  }

  async function answer(request: IncomingMessage): Promise<Answer | 'lost'> {
    switch (`${request.method} ${request.url}`) {
      case 'POST /charges':
        return postCharge(request)
      case 'GET /charges':
        return { status: 200, body: ledger.charges() }
      case 'GET /requests':
        return { status: 200, body: requests }
      case 'POST /behavior':
        return postBehavior(request)
      default:
        return problem(404, 'not_found', 'There are GET and POST /charges, GET /requests and POST /behavior.')
    }
  }

  const server = createServer((request, response) => {
    answer(request).then(
      (result) => send(response, result),
      () => response.destroy(),
    )
  })
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    charges: (): Charge[] => ledger.charges(),
    requests: (): PaymentRequest[] => structuredClone(requests),
    behave(next: Behavior) {
      behavior = Behavior.parse(next)
    },
    /** Cuts all connections, like a crash. */
    async stop() {
      stopping.abort()
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
      ledger.close()
    },
  }
}

function troubled(mode: Behavior['mode']): Answer | undefined {
  if (mode === 'fail') return problem(500, 'internal_error', 'Something broke.')
  if (mode === 'busy') return { ...problem(429, 'busy', 'Come back later.'), headers: { 'retry-after': '1' } }
  return undefined
}

/** What was sent, or undefined when it is no JSON. */
const body = (request: IncomingMessage): Promise<unknown> => json(request).catch(() => undefined)

function send(response: ServerResponse, answer: Answer | 'lost') {
  if (answer === 'lost') return response.destroy()
  return response
    .writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
    .end(`${JSON.stringify(answer.body)}\n`)
}
