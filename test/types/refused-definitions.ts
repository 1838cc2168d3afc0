import { z } from 'zod'
import { type Action, action } from '../../src/index.ts'
import { numberSchema } from '../executor/hand-written-schema.ts'

/** Definitions that must not compile. Checked by the compiler alone: nothing calls them. */

const params = z.object({ to: z.string() })
const result = z.object({ id: z.string() })
const run = () => ({ id: 'm' })

export function membersOfAnotherType(): void {
  // @ts-expect-error there are three effect classes
  action('a', { effect: 'safe', run })
  // @ts-expect-error a schema is no plain object
  action('a', { params: { to: 'string' }, run })
  // @ts-expect-error a handler is required
  action('a', {})
  // @ts-expect-error milliseconds are a number
  action('a', { timeoutMs: '5s', run })
  // @ts-expect-error the policy has no such member
  action('a', { retry: { attempts: 3 }, run })
  // @ts-expect-error the options have no such member
  action('a', { timeout: 5, run })
  // @ts-expect-error a name is text
  action(7, { run })
}

export function handlers(): void {
  // @ts-expect-error the result lacks its member
  action('a', { result, run: () => ({}) })
  // @ts-expect-error the same for a promise
  action('a', { result, run: async () => ({ id: 7 }) })
  // @ts-expect-error nothing is no result where the schema wants one
  action('a', { result, run: () => {} })
  // @ts-expect-error a schema written by hand takes numbers and digits
  action('a', { result: numberSchema, run: () => true })
  // @ts-expect-error the params have no such member
  action('a', { params, run: (context) => context.params.from })
  // @ts-expect-error without a schema params are unknown
  action('a', { run: (context) => context.params.to })
  // @ts-expect-error what a handler is given it does not change
  action('a', { params, run: (context) => (context.attempt = 2) })
}

export function transactions(): void {
  // @ts-expect-error an idempotent action, the default, has no transaction
  action('a', { run: ({ tx }) => tx })
  // @ts-expect-error nor has an unsafe one
  action('a', { effect: 'unsafe', run: ({ tx }) => tx })
  action('a', { effect: 'transactional', run: ({ tx }) => void tx })
}

export function probes(): void {
  // @ts-expect-error the probe's result is of the result schema
  action('a', { effect: 'unsafe', result, run, probe: async () => ({ outcome: 'succeeded', result: { id: 7 } }) })
  // @ts-expect-error a success has a result
  action('a', { effect: 'unsafe', result, run, probe: async () => ({ outcome: 'succeeded' }) })
  // @ts-expect-error there are three verdicts
  action('a', { effect: 'unsafe', run, probe: async () => ({ outcome: 'maybe' }) })
  // @ts-expect-error a probe looks and records nothing
  action('a', { effect: 'unsafe', run, probe: async ({ heartbeat }) => heartbeat(1) })
}

export function compensations(): void {
  // @ts-expect-error the result has no such member
  action('a', { result, run, compensate: (context) => void context.result.name })
  // @ts-expect-error there is nothing to go on from
  action('a', { run, compensate: ({ lastHeartbeat }) => void lastHeartbeat })
}

export function callers(): void {
  const send = action('send', { params, result, run })
  // @ts-expect-error the params that callers give are part of the type
  const otherParams: Action<'send', { from: string }, { id: string }> = send
  // @ts-expect-error so is the result that they get
  const otherResult: Action<'send', { to: string }, { id: number }> = send
  // @ts-expect-error and so is the name
  const otherName: Action<'sent', { to: string }, { id: string }> = send
  void [otherParams, otherResult, otherName]
}
