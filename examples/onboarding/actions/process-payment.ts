import { action, NonRetryableError, RetryAfterError } from 'action.do'
import { z } from 'zod'

const Charge = z.object({ chargeId: z.string(), amountCents: z.int(), currency: z.string() })

/**
 * Idempotent: each attempt sends the same key, and the payment service charges once per key. A lost answer or a crash
 * is therefore repaired by asking again.
 */
export const processPayment = ({ paymentUrl }: { paymentUrl: string }) =>
  action('process-payment', {
    description: 'Charges a customer once.',
    params: z.object({
      customerId: z.string().min(1),
      amountCents: z.int().positive(),
      currency: z
        .string()
        .regex(/^[a-z]{3}$/)
        .default('usd'),
    }),
    result: Charge,
    effect: 'idempotent',
    retry: { maxAttempts: 5 },
    timeoutMs: 10_000,
    run: async ({ params, idempotencyKey, signal }) => {
      const response = await fetch(`${paymentUrl}/charges`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
        body: JSON.stringify(params),
        signal,
      })
      if (!response.ok) throw await failure(response)
      return Charge.parse(await response.json())
    },
  })

/** Says what the refusal means for a retry. An ordinary error, like one thrown by `fetch`, is retried with backoff. */
async function failure(response: Response): Promise<Error> {
  const { status } = response
  const message = `the payment service answered ${status}`
  const details = { status, body: await response.text() }
  const retryAfter = response.headers.get('retry-after')
  if (retryAfter && (status === 429 || status === 503)) {
    const seconds = Number(retryAfter)
    return new RetryAfterError(message, Number.isNaN(seconds) ? new Date(retryAfter) : seconds * 1000, { details })
  }
  if (status === 402) return new NonRetryableError('the card was declined', { code: 'CARD_DECLINED', details })
  if (status < 500 && status !== 429) return new NonRetryableError(message, { code: 'PAYMENT_REFUSED', details })
  return new Error(message)
}
