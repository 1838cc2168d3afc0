/** The examples of docs/workflows.md: `npm run generate` copies the regions there, and a test executes them. */
// #region order
import { workflow, workflowRef } from 'action.do'
import { z } from 'zod'
import { charge, mail, pack, quote, reserve, track } from './actions.ts'

export const order = workflow('order', {
  description: 'From the order to the parcel',
  params: z.object({ orderId: z.string(), email: z.string(), cents: z.number().int() }),
  onError: 'compensate',
})
  .step('reserve', reserve, ({ params }) => ({ orderId: params.orderId }))
  .step('charge', charge, ({ params: { orderId, cents } }) => ({ orderId, cents }), { after: ['reserve'] })
  .step('pack', pack, ({ reserve }) => ({ shelf: reserve.shelf }), { after: ['reserve'] })
  .step('mail', mail, ({ params, pack }) => ({ to: params.email, text: `On its way: ${pack.parcel}` }), {
    after: ['charge', 'pack'],
    onError: 'continue',
  })
  .result(({ charge, pack, mail }) => ({ ...charge, ...pack, mailed: mail.error === undefined }))
// #endregion

// #region branches
export const gift = workflow('gift', { params: z.object({ cents: z.number(), wrap: z.boolean() }) })
  .value('price', ({ params }) => ({ cents: params.cents, large: params.cents > 10_000 }))
  .value('wrapping', () => 'red paper', { after: ['price'], when: ({ params }) => params.wrap })
  .value('card', ({ wrapping }) => `a card on ${wrapping}`)
  .value('discount', ({ price }) => price.cents / 10, { after: ['price'], when: ({ price }) => price.large })
  .value('parcel', ({ price, card, discount = 0 }) => ({ cents: price.cents - discount, with: card ?? 'nothing' }), {
    after: ['card', 'discount', 'price'],
  })
// #endregion

// #region race
export const shipping = workflow('shipping', { params: z.object({ grams: z.number() }) })
  .step('post', quote, ({ params }) => ({ carrier: 'post', ...params }), { after: [] })
  .sleep('patience', 2_000, { after: [] })
  .value('chosen', ({ post }) => post?.carrier ?? 'bicycle', {
    after: ['post', 'patience'],
    join: 'any',
    others: 'cancel',
  })
// #endregion

// #region list
export const quotes = workflow('quotes', {
  params: z.object({ grams: z.number(), carriers: z.array(z.string()) }),
})
  .forEach(
    'each',
    ({ params }) => params.carriers,
    quote,
    ({ params }, carrier) => ({ carrier, grams: params.grams }),
    { concurrency: 2, onError: 'continue' },
  )
  .value('cheapest', ({ each }) => {
    const offers = each.flatMap(({ result }) => result ?? [])
    return offers.sort((a, b) => a.cents - b.cents)[0] ?? null
  })
// #endregion

// #region enough
export const offers = workflow('offers', { params: z.object({ carriers: z.array(z.string()) }) }).forEach(
  'two',
  ({ params }) => params.carriers,
  quote,
  (_, carrier) => ({ carrier, grams: 800 }),
  { need: 2, rest: 'cancel' },
)

export const stocktaking = workflow('stocktaking')
  .signal('opened')
  .forEach(
    'shelves',
    () => ['A1'],
    pack,
    (_, shelf) => ({ shelf }),
    { more: 'another-shelf', payload: z.string() },
  )
// #endregion

// #region loop
export const delivery = workflow('delivery', { params: z.object({ parcel: z.string() }) }).repeat(
  'look',
  track,
  ({ params }, { index }) => ({ parcel: params.parcel, look: index }),
  { until: (_, { result }) => result.delivered, max: 100, retry: { maxAttempts: 5 } },
)
// #endregion

// #region sub
export const countdown = workflow('countdown', { params: z.object({ from: z.number() }) })
  .step('below', workflowRef<{ from: number }, string>('countdown'), ({ params }) => ({ from: params.from - 1 }), {
    when: ({ params }) => params.from > 0,
  })
  .value('text', ({ params, below = 'lift-off' }) => `${params.from}, ${below}`, { onSkipped: 'run' })

export const launch = workflow('launch')
  .step('count', countdown, () => ({ from: 2 }))
  .step('tell', mail, ({ count }) => ({ to: 'ground', text: count }))
// #endregion

// #region waits
export const refund = workflow('refund', { params: z.object({ cents: z.number(), notBefore: z.iso.datetime() }) })
  .signal('returned', { payload: z.object({ grams: z.number() }) })
  .approval('agreed', {
    when: ({ params }) => params.cents > 10_000,
    approvers: ['first', 'DO_API_KEY'],
    deadlineMs: 3 * 24 * 3_600_000,
    fallback: { approved: false, comment: 'Nobody decided in time' },
  })
  .sleepUntil('due', ({ params }) => params.notBefore, { onSkipped: 'run' })
  .value('paid', ({ params, agreed }) => (agreed?.approved === false ? 0 : params.cents))
// #endregion

// #region shared
export const pay = workflow('pay', {
  params: z.object({ orderId: z.string(), cents: z.number(), customer: z.string() }),
}).step('charge', charge, ({ params: { orderId, cents } }) => ({ orderId, cents }), {
  idempotencyKey: ({ params }) => `charge-${params.orderId}`,
  limit: { key: ({ params }) => `bank-${params.customer}`, max: 1 },
  retry: { maxAttempts: 10, backoff: { initialMs: 1_000, factor: 3, maxMs: 600_000 } },
  timeoutMs: 20_000,
})
// #endregion

// #region versions
const greetingV1 = workflow('greeting')
  .signal('name')
  .value('text', ({ name }) => `Hello, ${name}`)

export const greeting = workflow('greeting', { version: '2', previous: [greetingV1] })
  .signal('name')
  .value('text', ({ name }) => `Good morning, ${name}`)
  .step('send', mail, ({ text }) => ({ to: 'everybody', text }))
// #endregion
