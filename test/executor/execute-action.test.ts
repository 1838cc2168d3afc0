import { expect, test } from 'vitest'
import { z } from 'zod'
import { action } from '../../src/index.ts'
import { startTestServer } from '../support/server.ts'

const double = action('double', {
  params: z.object({ n: z.number() }),
  result: z.object({ doubled: z.number() }),
  run: ({ params }) => ({ doubled: params.n * 2 }),
})

test('an action executes once, and the answer carries its result, attempts and events', async () => {
  const server = await startTestServer([double])
  const { run, replayed } = await server.execute({ name: 'double', params: { n: 21 } })
  expect(replayed).toBe(false)
  expect(run).toMatchObject({
    status: 'SUCCEEDED',
    result: { doubled: 42 },
    attempts: [{ number: 1, status: 'SUCCEEDED' }],
    events: [
      { seq: 1, from: null, to: 'RUNNING', reason: 'STARTED' },
      { seq: 2, from: 'RUNNING', to: 'SUCCEEDED', reason: 'COMPLETED' },
    ],
  })
})
