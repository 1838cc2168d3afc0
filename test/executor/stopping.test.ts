import { expect, test } from 'vitest'
import { executeAction } from '../../src/executor/commands/execute-action.ts'
import { action } from '../../src/index.ts'
import { startTestServer } from '../support/server.ts'

test('a stop waits for submissions that are in their commit: each handler begins and ends, or never begins', async () => {
  let began = 0
  let ended = 0
  const pay = action('pay', {
    effect: 'unsafe',
    run: async () => {
      began++
      await new Promise((resolve) => setImmediate(resolve))
      ended++
      return null
    },
  })
  const server = await startTestServer([pay])
  const { executor } = server
  const request = { name: 'pay', params: {}, idempotencyKey: null, waitMs: 0, runAt: null, priority: 0 }
  const submitted = Array.from({ length: 20 }, () => executeAction(executor, request, 'test'))
  // the slots are taken and the inserts are on their way
  await Promise.resolve()
  await executor.drain(20_000)
  await Promise.all(submitted)
  expect(ended).toBe(began)
  const rows = await executor.db.reads<{ status: string }[]>`select distinct status::text from action_do.runs`
  expect(rows.map(({ status }) => status).filter((status) => status !== 'SUCCEEDED' && status !== 'QUEUED')).toEqual([])
})
