import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { handWorker } from '../support/remote-worker.ts'
import { API_KEY, startTestServer } from '../support/server.ts'
import { logStatements } from '../support/statements.ts'
import { until } from '../support/until.ts'

test('a claim waits until something is queued, and answers with nothing when its time is up', async () => {
  const server = await startTestServer([])
  const worker = await handWorker(server, ['a'])
  expect(await worker.claim({ waitMs: 50 })).toEqual([])
  const claiming = worker.claim({ waitMs: 20_000 })
  await sleep(300)
  const { run } = await server.execute({ name: 'a', waitMs: 0 })
  expect(await claiming).toMatchObject([{ runId: run!.id }])
})

test('a run that is submitted while a worker waits is given to it in its insert, and the next one to the next worker', async () => {
  const server = await startTestServer([], { pollMs: 30_000 })
  const workers = [await handWorker(server, ['a']), await handWorker(server, ['a'])]
  const claiming = workers.map((worker) => worker.claim({ waitMs: 20_000 }))
  // both have looked, and wait
  await until(() => server.executor.remoteWorkers.waiting === 2)
  const runs = await Promise.all([1, 2].map((params) => server.execute({ name: 'a', params, waitMs: 0 })))
  expect(runs.map(({ run }) => run?.events.map(({ reason }) => reason))).toEqual([['STARTED'], ['STARTED']])
  const claimed = (await Promise.all(claiming)).map(([one, ...more]) => {
    expect(more).toEqual([])
    return one?.runId
  })
  expect(new Set(claimed)).toEqual(new Set(runs.map(({ run }) => run?.id)))
})

test('what was given to a worker whose answer never came is given again', async () => {
  const server = await startTestServer([], { pollMs: 30_000 })
  const worker = await handWorker(server, ['a'])
  const leaving = new AbortController()
  const gone = fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}` },
    body: JSON.stringify({
      query: 'mutation($input: ClaimRunsInput!) { claimRuns(input: $input) { __typename } }',
      variables: { input: { workerId: worker.id, names: ['a'], limit: 5, waitMs: 20_000 } },
    }),
    signal: leaving.signal,
  })
  await until(() => server.executor.remoteWorkers.waiting === 1)
  const executing = server.execute({ name: 'a', waitMs: 0 })
  leaving.abort()
  await expect(gone).rejects.toThrow()
  const { run } = await executing
  // the run may have been given in the very moment, or not
  expect(await worker.claim({ holding: [], waitMs: 10_000 })).toMatchObject([{ runId: run!.id, attempt: 1 }])
})

test('many workers share what is queued, and no run goes to two of them', async () => {
  const server = await startTestServer([])
  const workers = await Promise.all(Array.from({ length: 5 }, () => handWorker(server, ['a'])))
  const claiming = workers.map(async (worker) => {
    const ids: string[] = []
    for (let runs = await worker.claim({ limit: 3, waitMs: 1_500 }); runs.length > 0; ) {
      for (const run of runs) ids.push(`${run.runId} ${run.attempt}`)
      await Promise.all(runs.map((run) => worker.complete(run)))
      runs = await worker.claim({ limit: 3, waitMs: 1_500 })
    }
    return ids
  })
  const done = await Promise.all(Array.from({ length: 60 }, (_, n) => server.execute({ name: 'a', params: n })))
  expect(done.every(({ run }) => run?.status === 'SUCCEEDED')).toBe(true)
  const ids = (await Promise.all(claiming)).flat()
  expect(ids).toHaveLength(60)
  expect(new Set(ids).size).toBe(60)
})

test('a second claim of the same worker ends the wait of the first', async () => {
  const server = await startTestServer([])
  const worker = await handWorker(server, ['a'])
  const first = worker.claim({ waitMs: 30_000 })
  await sleep(100)
  const second = worker.claim({ waitMs: 30_000 })
  expect(await first).toEqual([])
  await server.execute({ name: 'a', waitMs: 0 })
  expect(await second).toHaveLength(1)
})

test('a client that has gone is given nothing: its run stays for others', async () => {
  const server = await startTestServer([])
  const worker = await handWorker(server, ['a'])
  const leaving = new AbortController()
  const query = `mutation($input: ClaimRunsInput!) { claimRuns(input: $input) { __typename } }`
  const input = { workerId: worker.id, names: ['a'], limit: 5, waitMs: 30_000 }
  for (let i = 0; i < 2; i++) {
    // the first by way of yoga, which has not validated the document yet; the second by the short path
    const gone = fetch(server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}` },
      body: JSON.stringify({ query, variables: { input } }),
      signal: AbortSignal.any([leaving.signal, AbortSignal.timeout(300)]),
    })
    await expect(gone).rejects.toThrow()
    await sleep(100)
    const { run } = await server.execute({ name: 'a', waitMs: 500 })
    expect(run).toMatchObject({ status: 'QUEUED' })
    const [claimed] = await worker.claim({ waitMs: 0 })
    await worker.complete(claimed!)
  }
})

test('a claim that waits asks the database once in a while, not in a loop', async () => {
  const { databaseUrl, statements } = await logStatements(await testDatabase())
  const server = await startTestServer([], { databaseUrl, pollMs: 1_000, role: 'api' })
  const worker = await handWorker(server, ['a'])
  statements.length = 0
  await worker.claim({ waitMs: 2_500 })
  const looks = statements.filter((statement) => statement.includes("r.indexed_status = 'QUEUED'"))
  expect(looks.length).toBeGreaterThanOrEqual(2)
  expect(looks.length).toBeLessThanOrEqual(4)
})

test('stopping the server answers claims that wait', async () => {
  const server = await startTestServer([])
  const worker = await handWorker(server, ['a'])
  const claiming = worker.claim({ waitMs: 30_000 })
  const renewing = worker.renew([], 30_000)
  await sleep(200)
  await server.stop()
  expect(await claiming).toEqual([])
  expect(await renewing).toMatchObject({ lost: [] })
})
