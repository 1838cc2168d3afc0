import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { openJournal } from './journal.ts'

const ChargeRequest = z.object({
  customerId: z.string().min(1),
  amountCents: z.int().positive(),
  currency: z.string().regex(/^[a-z]{3}$/),
})

const Charge = ChargeRequest.extend({ chargeId: z.string(), idempotencyKey: z.string(), createdAt: z.string() })
export type Charge = z.infer<typeof Charge>

export interface Answer {
  status: number
  body: unknown
  headers?: Record<string, string>
}

export const problem = (status: number, code: string, message: string): Answer => ({ status, body: { code, message } })

/** The charges, one for each idempotency key: of several lines with one key the first is the charge. */
export function openLedger(file?: string) {
  const journal = openJournal((value) => Charge.parse(value), file)
  const find = (key: string) => journal.entries().find((charge) => charge.idempotencyKey === key)

  /** Looks, decides and writes without giving way; should two processes share the file, both answer with the first line. */
  function charge(key: string | undefined, body: unknown, cardDeclined: boolean): Answer {
    if (!key) return problem(400, 'idempotency_key_missing', 'Send an Idempotency-Key header.')
    const request = ChargeRequest.safeParse(body)
    if (!request.success) return problem(400, 'invalid_request', z.prettifyError(request.error))
    const known = find(key)
    if (known) return replay(known, request.data)
    if (cardDeclined) return problem(402, 'card_declined', 'The card was declined.')
    const charge = {
      chargeId: `ch_${randomUUID()}`,
      ...request.data,
      idempotencyKey: key,
      createdAt: new Date().toISOString(),
    }
    journal.append(charge)
    return { status: 201, body: find(key) }
  }

  const charges = (): Charge[] => journal.entries().filter((charge) => find(charge.idempotencyKey) === charge)

  return { charge, charges, close: () => journal.close() }
}

function replay(known: Charge, request: z.infer<typeof ChargeRequest>): Answer {
  const same =
    known.customerId === request.customerId &&
    known.amountCents === request.amountCents &&
    known.currency === request.currency
  return same
    ? { status: 200, body: known, headers: { 'idempotent-replayed': 'true' } }
    : problem(422, 'idempotency_key_reused', 'This key was used for another charge.')
}
