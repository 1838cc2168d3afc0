import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, type ProbeVerdict } from '../../src/index.ts'
import { aborted, happened } from '../support/runs.ts'
import { startTestServer } from '../support/server.ts'

/** What happens to an unsafe handler that is cut by its timeout, in order. */
function cutAction(handler: (signal: AbortSignal, seen: string[]) => Promise<unknown>) {
  const seen: string[] = []
  let calls = 0
  const send = action('send', {
    effect: 'unsafe',
    timeoutMs: 50,
    run: async ({ signal }) => {
      seen.push('began')
      if (++calls > 1) return 'sent'
      await handler(signal, seen)
      return 'sent late'
    },
    probe: async (): Promise<ProbeVerdict<unknown>> => {
      seen.push('probed')
      return { outcome: 'not-executed' }
    },
  })
  return { send, seen }
}

test('a handler that heeds its signal has come to its end before the probe is asked', async () => {
  const { send, seen } = cutAction(async (signal, events) => {
    await aborted(signal)
    await new Promise((resolve) => setTimeout(resolve, 20))
    events.push('let go')
    throw signal.reason
  })
  const server = await startTestServer([send])
  const { run } = await server.execute({ name: 'send' })
  expect(run).toMatchObject({ status: 'SUCCEEDED', attempts: [{ status: 'TIMED_OUT' }, { status: 'SUCCEEDED' }] })
  expect(seen).toEqual(['began', 'let go', 'probed', 'began'])
})

test('while a handler that does not heed its signal may still be at it, nobody begins again: a person decides', async () => {
  let finish = () => {}
  const { send, seen } = cutAction(
    () =>
      new Promise<void>((resolve) => {
        finish = resolve
      }),
  )
  const server = await startTestServer([send])
  const { run } = await server.execute({ name: 'send' })
  expect(run).toMatchObject({ status: 'INDETERMINATE', error: { code: 'ATTEMPT_TIMED_OUT' } })
  expect(run?.attempts).toMatchObject([{ status: 'TIMED_OUT' }])
  expect(seen).toEqual(['began'])
  finish()
})

test('a run that waits for its probe is not failed by a schema that changed meanwhile', async () => {
  const run = () => Promise.reject(new Error('not called'))
  const before = action('send', { effect: 'unsafe', run, probe: async () => ({ outcome: 'unknown' }) })
  const server = await startTestServer([before], { role: 'api' })
  const { run: queued } = await server.execute({ name: 'send', params: { to: 'a' }, waitMs: 0 })
  await server.executor.db.reads`update action_do.runs set probe = true`
  const params = z.object({ address: z.string() })
  const after = action('send', { effect: 'unsafe', params, run, probe: async () => ({ outcome: 'unknown' }) })
  const newer = await startTestServer([after], { databaseUrl: server.databaseUrl })
  const { toStatus } = await happened(newer, queued?.id ?? '', 'OUTCOME_UNKNOWN')
  expect(toStatus).toBe('INDETERMINATE')
})
