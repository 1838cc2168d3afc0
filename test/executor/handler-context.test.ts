import { expect, test } from 'vitest'
import { action } from '../../src/index.ts'
import { startTestServer } from '../support/server.ts'

test('a handler that is wrapped may be given a copy of its context: all of it is there', async () => {
  const wrapped = action('wrapped', {
    effect: 'unsafe',
    retry: { maxAttempts: 7 },
    run: (context) => {
      const { signal, log, heartbeat, yieldSlot, lastHeartbeat, ...rest } = { ...context } as Record<string, unknown>
      const kinds = [typeof log, typeof heartbeat, typeof yieldSlot, lastHeartbeat === undefined]
      return { ...rest, aborted: (signal as AbortSignal).aborted, kinds }
    },
  })
  const server = await startTestServer([wrapped])
  const { run } = await server.execute({ name: 'wrapped', params: { a: 1 } })
  expect(run?.result).toEqual({
    params: { a: 1 },
    attempt: 1,
    runId: run?.id,
    idempotencyKey: run?.id,
    effect: 'unsafe',
    retry: expect.objectContaining({ maxAttempts: 7 }),
    aborted: false,
    kinds: ['object', 'function', 'function', true],
  })
})
