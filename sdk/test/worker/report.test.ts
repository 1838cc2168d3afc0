import { describe, expect, it } from 'vitest'
import { pass, started } from '../support/worker.ts'
import { answerWith, loseAnswer, status } from '../support/worker-faults.ts'

const ping = { run: () => 'pong' }

describe('the end of an attempt', () => {
  it('is reported again until an answer stands', async () => {
    const { server, told } = await started({ actions: { ping } })
    server.next('completeAttempt', status(503), status(500))
    const run = server.submit('ping')
    await pass(3_000)
    expect(server.asked('completeAttempt')).toHaveLength(3)
    expect(run.ended).toMatchObject({ result: 'pong' })
    expect(told.map(({ phase, runId }) => `${phase} ${runId}`)).toEqual(Array(2).fill('report run_1'))
  })

  it('is reported again when the answer got lost, which changes nothing', async () => {
    const { server } = await started({ actions: { ping } })
    server.next('completeAttempt', loseAnswer)
    const run = server.submit('ping')
    await pass(10_000)
    expect(server.asked('completeAttempt')).toHaveLength(2)
    expect(run.ended).toMatchObject({ result: 'pong', attempt: 1 })
    expect(server.asked('failAttempt')).toEqual([])
  })

  it('outlasts a restart of the server', async () => {
    const { server } = await started({ actions: { ping } })
    const run = server.submit('ping')
    server.next('completeAttempt', async () => {
      server.down = true
      throw new TypeError('fetch failed')
    })
    await pass(8_000)
    expect(run.ended).toBeUndefined()
    server.down = false
    await pass(10_000)
    expect(run.ended).toMatchObject({ result: 'pong', attempt: 1 })
    expect(server.asked('registerWorker')).toHaveLength(1)
  })

  it('is given up when the lease is lost', async () => {
    const { server, worker } = await started({ actions: { ping } })
    server.next('completeAttempt', status(503), status(503), status(503), status(503))
    const run = server.submit('ping')
    await pass(100)
    server.expire()
    await pass(20_000)
    expect(worker.id).toBe('worker_2')
    expect(run.ended).toMatchObject({ attempt: 2 })
    expect(server.asked('completeAttempt').filter(({ attempt }) => attempt === 1).length).toBeLessThan(4)
  })

  it('honours Retry-After', async () => {
    const { server } = await started({ actions: { ping } })
    server.next('completeAttempt', status(429, { 'retry-after': '7' }))
    server.submit('ping')
    await pass(6_900)
    expect(server.asked('completeAttempt')).toHaveLength(1)
    await pass(200)
    expect(server.asked('completeAttempt')).toHaveLength(2)
  })

  it('that finds the run deleted is forgotten', async () => {
    const { server } = await started({ actions: { ping } })
    server.next('completeAttempt', answerWith('completeAttempt', { code: 'RUN_NOT_FOUND', message: 'gone' }))
    const run = server.submit('ping')
    await pass()
    server.cancel(run)
    await pass(20_000)
    expect(server.asked('completeAttempt')).toHaveLength(1)
  })

  it.each([
    [status(413), 'RESULT_TOO_LARGE'],
    [
      answerWith('completeAttempt', { code: 'INVALID_INPUT', message: 'too deep', inputPath: 'result' }),
      'NOT_STORABLE',
    ],
  ])('that the server cannot take is a failure that says so: %#', async (fault, code) => {
    const { server } = await started({ actions: { ping } })
    server.next('completeAttempt', fault)
    const run = server.submit('ping')
    await pass()
    expect(run.ended).toMatchObject({ failure: 'FAILED', error: { code, retryable: false } })
  })

  it('that the server cannot take with details is reported without them', async () => {
    const { server } = await started({
      actions: { fail: { run: () => Promise.reject(Object.assign(new Error('x'), { details: { a: 1 } })) } },
    })
    server.next('failAttempt', answerWith('failAttempt', { code: 'INVALID_INPUT', message: 'no' }))
    const run = server.submit('fail')
    await pass()
    expect(run.ended).toMatchObject({ error: { message: 'x' } })
    expect(run.ended?.error).not.toHaveProperty('details')
  })

  it('does not hold up others', async () => {
    const { server } = await started({ actions: { ping } })
    server.next('completeAttempt', () => new Promise(() => {}))
    server.submit('ping')
    const second = server.submit('ping')
    await pass()
    expect(second.ended).toMatchObject({ result: 'pong' })
  })
})
