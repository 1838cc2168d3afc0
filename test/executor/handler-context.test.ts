import { expect, test } from 'vitest'
import { RunRevoked } from '../../src/executor/abort.ts'
import { action } from '../../src/index.ts'
import { queryOf } from '../support/notes.ts'
import { latch, settled, submit, uuidOf } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

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

test('what is aborted while the end is recorded does not reach a handler that has returned', async () => {
  const go = latch()
  let given: AbortSignal | undefined
  const quick = action('quick', {
    run: async ({ signal }) => {
      given = signal
      await go.opened
      return 'done'
    },
  })
  const server = await startTestServer([quick])
  const id = await submit(server, { name: 'quick' })
  const execution = () => server.executor.worker.executions.get(uuidOf(id))
  await until(() => execution() !== undefined && given !== undefined)
  await queryOf(server.databaseUrl).begin(async (tx) => {
    // its end cannot be recorded for a while
    await tx`select from action_do.runs where id = ${uuidOf(id)} for update`
    go.open()
    await go.opened
    await new Promise(setImmediate)
    execution()?.abort.abort(new RunRevoked())
    expect(execution()?.abort.reason).toBeInstanceOf(RunRevoked)
    expect(given?.aborted).toBe(false)
  })
  expect((await settled(server, id)).status).toBe('SUCCEEDED')
})
