import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { pass, started } from '../support/worker.ts'
import type { FakeRun } from '../support/worker-server.ts'

const params = z.object({ to: z.string().transform((text) => text.toUpperCase()) })

describe('params', () => {
  it('come as the schema leaves them', async () => {
    const { server } = await started({ actions: { greet: { params, run: ({ params }) => params.to } } })
    const run = server.submit('greet', { to: 'ada' })
    await pass()
    expect(run.ended).toMatchObject({ result: 'ADA' })
  })

  it('that do not fit are a permanent failure', async () => {
    const { server } = await started({ actions: { greet: { params, run: () => 'never' } } })
    const run = server.submit('greet', { to: 5 })
    await pass()
    expect(run.ended).toMatchObject({
      failure: 'FAILED',
      error: { code: 'INVALID_PARAMS', retryable: false, details: { issues: [{ path: 'to' }] } },
    })
  })

  it('that do not fit leave undecided what may have happened', async () => {
    const { server } = await started({
      actions: { pay: { effect: 'unsafe', params, run: () => 1, probe: () => ({ outcome: 'not-executed' }) } },
    })
    const run = server.submit('pay', { to: 5 }, { probe: true })
    await pass()
    expect(run.ended).toMatchObject({
      failure: 'UNDECIDED',
      error: { code: 'OUTCOME_UNKNOWN', details: { cause: { code: 'INVALID_PARAMS' } } },
    })
  })
})

describe('a result', () => {
  async function ended(returned: unknown): Promise<FakeRun['ended']> {
    const { server } = await started({ actions: { give: { run: () => returned } } })
    const run = server.submit('give')
    await pass()
    return run.ended
  }

  it('that is nothing is null', async () => {
    expect(await ended(undefined)).toMatchObject({ result: null })
  })

  it('becomes what JSON makes of it', async () => {
    const returned = { at: new Date('2026-01-01T00:00:00Z'), absent: undefined, list: [1, { deep: null }] }
    expect(await ended(returned)).toMatchObject({
      result: { at: '2026-01-01T00:00:00.000Z', list: [1, { deep: null }] },
    })
  })

  const loop: Record<string, unknown> = {}
  loop.self = loop
  it.each([{ n: 1n }, { n: Number.NaN }, { n: new Map() }, { n: () => 5 }, { n: 'a\u0000' }, { n: '\ud800' }, loop])(
    'that JSON would change without a word is a permanent failure that says where: %#',
    async (returned) => {
      expect(await ended(returned)).toMatchObject({
        failure: 'FAILED',
        error: { code: 'INVALID_RESULT', retryable: false, details: { issues: [{ path: expect.any(String) }] } },
      })
    },
  )

  it('is checked by its schema, which may change it', async () => {
    const { server, told } = await started({
      actions: {
        give: { result: z.object({ n: z.number().default(7) }), run: ({ params }) => params as { n: number } },
      },
    })
    const [right, wrong] = [server.submit('give', {}), server.submit('give', { n: 'x' })]
    await pass()
    expect(right?.ended).toMatchObject({ result: { n: 7 } })
    expect(wrong?.ended).toMatchObject({ error: { code: 'INVALID_RESULT', retryable: false } })
    expect(told).toMatchObject([{ phase: 'run', runId: 'run_2' }])
  })
})
