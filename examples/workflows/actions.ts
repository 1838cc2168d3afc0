import { action, NonRetryableError } from 'action.do'
import { z } from 'zod'

const orderId = z.string()

/** What the actions of a shop leave behind: a line for each thing done. */
export const done: string[] = []

/** Cards that the bank declines, and mails that cannot be sent. */
export const broken = new Set<string>()

export const reserve = action('reserve', {
  params: z.object({ orderId }),
  result: z.object({ shelf: z.string() }),
  run: ({ params }) => {
    done.push(`reserve ${params.orderId}`)
    return { shelf: 'B7' }
  },
  compensate: ({ params }) => {
    done.push(`release ${params.orderId}`)
  },
})

export const charge = action('charge', {
  params: z.object({ orderId, cents: z.number().int().positive() }),
  result: z.object({ chargeId: z.string() }),
  run: ({ params, idempotencyKey }) => {
    if (broken.has('bank')) throw new NonRetryableError('The card was declined', { code: 'CARD_DECLINED' })
    done.push(`charge ${params.orderId} ${params.cents}`)
    return { chargeId: `ch_${idempotencyKey}` }
  },
  compensate: ({ params }) => {
    done.push(`refund ${params.orderId}`)
  },
})

export const pack = action('pack', {
  params: z.object({ shelf: z.string() }),
  result: z.object({ parcel: z.string(), grams: z.number() }),
  run: ({ params }) => ({ parcel: `parcel from ${params.shelf}`, grams: 800 }),
})

export const mail = action('mail', {
  params: z.object({ to: z.string(), text: z.string() }),
  run: ({ params }) => {
    if (broken.has('mail')) throw new NonRetryableError('No such mailbox', { code: 'NO_MAILBOX' })
    done.push(`mail ${params.to}: ${params.text}`)
  },
})

export const quote = action('quote', {
  params: z.object({ carrier: z.string(), grams: z.number() }),
  result: z.object({ carrier: z.string(), cents: z.number() }),
  run: ({ params }) => ({ carrier: params.carrier, cents: params.carrier.length * 100 }),
})

export const track = action('track', {
  params: z.object({ parcel: z.string(), look: z.number() }),
  result: z.object({ delivered: z.boolean() }),
  run: ({ params }) => ({ delivered: params.look >= 2 }),
})
