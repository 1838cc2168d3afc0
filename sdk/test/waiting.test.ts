import { describe, expect, it } from 'vitest'
import { Do } from '../src/index.ts'
import { fakeServer, json, payload, wireRun } from './support/fake-server.ts'

const running = wireRun({ status: 'RUNNING', result: null })
const executed = (run: object, replayed: boolean) => payload('executeAction', run, replayed)

describe('waiting for an outcome', () => {
  it('goes on under the same key, in slices of 30 s at most, until the run has ended', async () => {
    const server = await fakeServer((_, response, n) => json(response, executed(n < 2 ? running : wireRun(), n > 0)))
    const client = new Do({ url: server.url, timeout: 90_000 })
    const answer = await client.action.execute({ name: 'greet', idempotencyKey: 'mine' })
    expect(answer).toMatchObject({ result: { greeting: 'hello' }, replayed: false })
    expect(server.requests.map((request) => request.variables.input.idempotencyKey)).toEqual(['mine', 'mine', 'mine'])
    expect(server.requests.map((request) => request.variables.input.waitMs)).toEqual([30_000, 30_000, 30_000])
  })

  it('becomes TIMEOUT with the run, within the timeout', async () => {
    const server = await fakeServer((request, response) => {
      setTimeout(() => json(response, executed(running, false)), Number(request.variables.input.waitMs))
    })
    const started = performance.now()
    const answer = await new Do({ url: server.url, timeout: 1_000 }).action.execute({ name: 'greet' })
    expect(answer.error).toMatchObject({ code: 'TIMEOUT', runId: 'run_1', retryable: false })
    expect(answer).toMatchObject({ runId: 'run_1', replayed: false, run: { status: 'RUNNING' } })
    expect(performance.now() - started).toBeLessThan(1_100)
  })

  it('becomes TIMEOUT without a run when the server never answers', async () => {
    const server = await fakeServer(() => {})
    const { error } = await new Do({ url: server.url, timeout: 200 }).action.execute({ name: 'greet' })
    expect(error).toMatchObject({
      code: 'TIMEOUT',
      runId: undefined,
      retryable: true,
      idempotencyKey: expect.any(String),
    })
    await server.requests[0]?.closed
  })

  it('answers at once when asked not to wait', async () => {
    const server = await fakeServer((_, response) => json(response, executed(running, false)))
    const { error } = await new Do({ url: server.url }).action.execute({ name: 'greet', waitMs: 0 })
    expect(error).toMatchObject({ code: 'TIMEOUT', runId: 'run_1' })
    expect(server.requests.map((request) => request.variables.input.waitMs)).toEqual([0])
  })

  it('waits as long as the call says, even beyond the timeout of the client', async () => {
    const server = await fakeServer((_, response, n) => json(response, executed(n === 0 ? running : wireRun(), n > 0)))
    const client = new Do({ url: server.url, timeout: 100 })
    expect((await client.action.execute({ name: 'greet', waitMs: 20_000 })).error).toBeUndefined()
    expect(server.requests[0]?.variables.input.waitMs).toBeLessThanOrEqual(20_000)
    expect(server.requests[0]?.variables.input.waitMs).toBeGreaterThan(19_000)
  })

  it('does not wait for a run that is due later', async () => {
    const scheduled = wireRun({ status: 'SCHEDULED', result: null })
    const server = await fakeServer((_, response) => json(response, executed(scheduled, false)))
    const runAt = new Date(Date.now() + 3_600_000)
    const { error } = await new Do({ url: server.url }).action.execute({ name: 'greet', runAt })
    expect(error).toMatchObject({ code: 'TIMEOUT', runId: 'run_1' })
    expect(server.requests[0]?.variables.input).toMatchObject({ runAt: runAt.toISOString(), waitMs: 0 })
  })

  it('asks for no more than the time that is left when a request is repeated', async () => {
    const server = await fakeServer((_, response, n) => {
      if (n === 0) setTimeout(() => response.destroy(), 500)
      else json(response, executed(wireRun(), true))
    })
    await new Do({ url: server.url, timeout: 5_000 }).action.execute({ name: 'greet' })
    const [first, second] = server.requests.map((request) => Number(request.variables.input.waitMs))
    expect(second).toBeLessThanOrEqual(first! - 490)
  })

  it('names the run when a later slice fails', async () => {
    const server = await fakeServer((_, response, n) =>
      n === 0 ? json(response, executed(running, false)) : json(response, {}, 401),
    )
    const answer = await new Do({ url: server.url }).action.execute({ name: 'greet' })
    expect(answer.error).toMatchObject({ code: 'UNAUTHENTICATED', runId: 'run_1' })
    expect(answer).toMatchObject({ runId: 'run_1', run: { status: 'RUNNING' } })
  })
})
