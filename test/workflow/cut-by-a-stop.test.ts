import { expect, test } from 'vitest'
import { action, workflow } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { operate } from '../support/operations.ts'
import { handWorker } from '../support/remote-worker.ts'
import { startWorkflowServer, type WorkflowServer } from '../support/workflows.ts'
import { comesTo } from './troupe.ts'

/** An action that books at once, and then, while it is `slow`, waits until it is cut. */
function booking() {
  const booked = new Set<string>()
  const state = { slow: true }
  const book = action('book', {
    run: async ({ signal }) => {
      booked.add('seat')
      if (state.slow)
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
      return 1
    },
    compensate: async () => void booked.delete('seat'),
  })
  return { booked, state, book }
}

async function reasonsOf(server: WorkflowServer, id: string, step: string): Promise<string[]> {
  const { events } = await server.look(id)
  return events.filter((event) => event.step === step).map(({ reason }) => reason)
}

const DEADLINE = { deadlineMs: 60_000, onError: 'compensate' } as const

test('what a stop in good order has cut is let come to its end, and undone, when its workflow turns back', async () => {
  const { booked, state, book } = booking()
  const w = workflow('w', DEADLINE).step('book', book, () => ({}))
  const options = { actions: [book], workflows: [w], databaseUrl: await testDatabase(), shutdownTimeoutMs: 100 }
  const first = await startWorkflowServer(options)
  const { id } = (await first.start({ name: 'w' })).run!
  await expect.poll(() => booked.size).toBe(1)
  await operate(first, 'pauseRun', { id })
  await first.stop()
  state.slow = false
  const second = await startWorkflowServer(options)
  await comesTo(second, id, 'QUEUED', 'book')
  second.advance(70_000)
  await comesTo(second, id, 'COMPENSATING')
  await operate(second, 'resumeRun', { id })
  await comesTo(second, id, 'COMPENSATED')
  expect(booked).toEqual(new Set())
  const reasons = await reasonsOf(second, id, 'book')
  expect(reasons).toContain('WORKER_STOPPED')
  expect(reasons).not.toContain('NOT_NEEDED')
})

/** A run of which a remote worker has begun an attempt for each of these words, and ended it with that; then its deadline passes. */
async function endedBy(failures: readonly string[]) {
  const server = await startWorkflowServer({})
  const actions = [{ name: 'book', compensate: true }]
  const hand = await handWorker(server, actions)
  const definition = { name: 'w', ...DEADLINE, steps: [{ key: 'book', action: 'book', params: {} }] }
  const { run, message } = await server.start({ definition })
  if (!run) throw new Error(message)
  for (const failure of failures) {
    const [claimed] = await hand.claim()
    await hand.fail(claimed!, { failure, error: { message: 'its own words', code: 'ITS_OWN' } })
    await comesTo(server, run.id, 'QUEUED', 'book')
  }
  server.advance(70_000)
  return { server, actions, id: run.id }
}

test.each([
  ['a stop', ['STOPPED']],
  ['a stop, and then given back by another that had not begun it', ['STOPPED', 'NOT_STARTED']],
])('what a remote worker had begun is undone after %s', async (_, failures) => {
  const { server, actions, id } = await endedBy(failures)
  await comesTo(server, id, 'COMPENSATING')
  await comesTo(server, id, 'QUEUED', 'book')
  // the clock has outrun the lease of the other
  const next = await handWorker(server, actions)
  for (const operation of ['EXECUTE', 'COMPENSATE']) {
    const [claimed] = await next.claim()
    expect(claimed).toMatchObject({ operation })
    await next.complete(claimed!)
  }
  await comesTo(server, id, 'COMPENSATED')
})

test('what a remote worker has given back before it began is not begun to be undone', async () => {
  const { server, id } = await endedBy(['NOT_STARTED'])
  await comesTo(server, id, 'COMPENSATED')
  expect(await reasonsOf(server, id, 'book')).toContain('NOT_NEEDED')
})
