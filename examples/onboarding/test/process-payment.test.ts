import { NonRetryableError, RetryAfterError } from 'action.do'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { processPayment } from '../actions/process-payment.ts'
import { startPaymentService } from '../payment-service.ts'
import { runAction } from './run-action.ts'

const params = { customerId: 'usr_1', amountCents: 1200 }

let service: Awaited<ReturnType<typeof startPaymentService>>
let pay: ReturnType<typeof processPayment>

beforeEach(async () => {
  service = await startPaymentService()
  pay = processPayment({ paymentUrl: service.url })
})

afterEach(() => service.stop())

/** What the attempt threw. */
const failureOf = (attempt: Promise<unknown>): Promise<unknown> =>
  attempt.then(
    () => expect.unreachable('the attempt succeeded'),
    (error: unknown) => error,
  )

test('a customer is charged under the key of the run', async () => {
  const result = await runAction(pay, params, { idempotencyKey: 'k' })
  expect(result).toEqual({ chargeId: expect.any(String), amountCents: 1200, currency: 'usd' })
  expect(service.charges()).toMatchObject([{ ...params, currency: 'usd', idempotencyKey: 'k' }])
})

test('a second attempt after a lost answer finds the charge of the first', async () => {
  service.behave({ mode: 'lose-answer', times: 1 })
  expect(await failureOf(runAction(pay, params))).not.toBeInstanceOf(NonRetryableError)
  const { chargeId } = await runAction(pay, params, { attempt: 2 })
  expect(service.charges().map((charge) => charge.chargeId)).toEqual([chargeId])
})

test('a declined card is final', async () => {
  service.behave({ mode: 'decline' })
  const error = await failureOf(runAction(pay, params))
  expect(error).toBeInstanceOf(NonRetryableError)
  expect(error).toMatchObject({ code: 'CARD_DECLINED', details: { status: 402 } })
})

test('a busy service is asked again when it said so', async () => {
  service.behave({ mode: 'busy' })
  const error = await failureOf(runAction(pay, params))
  expect(error).toBeInstanceOf(RetryAfterError)
  expect(error).toMatchObject({ retryAfterMs: 1000 })
})

test('a request that the service refuses is final', async () => {
  await runAction(pay, params)
  const error = await failureOf(runAction(pay, { ...params, amountCents: 1 }))
  expect(error).toBeInstanceOf(NonRetryableError)
  expect(error).toMatchObject({ code: 'PAYMENT_REFUSED', details: { status: 422 } })
})

test('a broken service is an ordinary failure, which is retried', async () => {
  service.behave({ mode: 'fail' })
  const error = await failureOf(runAction(pay, params))
  expect(error).not.toBeInstanceOf(NonRetryableError)
  expect(error).toMatchObject({ message: 'the payment service answered 500' })
})

test('an aborted attempt does not wait for its answer', async () => {
  service.behave({ mode: 'slow', delayMs: 60_000 })
  const abort = new AbortController()
  const attempt = failureOf(runAction(pay, params, { signal: abort.signal }))
  await expect.poll(() => service.requests()).toHaveLength(1)
  abort.abort(new Error('timed out'))
  expect(await attempt).toMatchObject({ message: 'timed out' })
})
