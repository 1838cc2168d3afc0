import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { keyedRunId } from '../../src/core/ids.ts'
import type { RunStatus } from '../../src/core/status.ts'
import type { Database } from '../../src/db/client.ts'
import { runsByIds } from '../../src/db/reads/runs.ts'
import type { RunRow } from '../../src/db/rows.ts'
import { Hub } from '../../src/events/hub.ts'
import { Waits } from '../../src/executor/wait.ts'
import { until } from '../support/until.ts'
import { Gate } from './gate.ts'

vi.mock('../../src/db/reads/runs.ts', () => ({ runsByIds: vi.fn() }))

const ID = keyedRunId('ACTION', 'mail', 'a')
const OTHER = keyedRunId('ACTION', 'mail', 'b')
const query = vi.mocked(runsByIds)
let gate: Gate<(RunRow | undefined)[]>
let hub: Hub
let waits: Waits

beforeEach(() => {
  vi.useFakeTimers()
  gate = new Gate()
  query.mockReset().mockImplementation(() => gate.pass())
  hub = new Hub()
  waits = new Waits({} as Database, hub)
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

const row = (status: RunStatus, lastSeq: number, id = ID) => ({ id, rootId: id, status, lastSeq }) as RunRow
const running = row('RUNNING', 1)
const succeeded = row('SUCCEEDED', 2)
const inAMoment = () => vi.advanceTimersByTimeAsync(0)

/** Waits as a request does, and closes afterwards. Answers with the status, once there is one. */
function waitFor(run: RunRow, ms: number) {
  const wait = waits.listen(ID)
  const settled = vi.fn<(run: RunRow) => void>()
  const rejected = vi.fn<(error: unknown) => void>()
  void wait
    .settled(run, ms)
    .then(settled, rejected)
    .finally(() => wait.close())
  return { settled, rejected, wait }
}

describe('a wait', () => {
  test('for a run that has settled already is over at once, without a query', async () => {
    for (const status of ['SUCCEEDED', 'FAILED', 'CANCELED', 'INDETERMINATE'] as const) {
      const { settled } = waitFor(row(status, 1), 30_000)
      await inAMoment()
      expect(settled).toHaveBeenCalledWith(row(status, 1))
    }
    expect(query).not.toHaveBeenCalled()
    expect(hub.watching).toBe(false)
  })

  test('that began before the run settled gets its new state handed over, without a query', async () => {
    const { settled } = waitFor(running, 30_000)
    await inAMoment()
    hub.announce(ID, succeeded)
    await inAMoment()
    expect(settled).toHaveBeenCalledWith(succeeded)
    expect(query).not.toHaveBeenCalled()
    expect(hub.watching).toBe(false)
  })

  test('misses nothing that happened between listening and the answer of the submission', async () => {
    const wait = waits.listen(ID)
    hub.announce(ID, succeeded)
    expect(await wait.settled(running, 30_000)).toBe(succeeded)
    wait.close()
    expect(hub.watching).toBe(false)
  })

  test('reads the run when only a hint came, and goes on while it has not settled', async () => {
    const { settled } = waitFor(running, 30_000)
    hub.heard([ID])
    await inAMoment()
    await gate.open([row('SCHEDULED', 2)])
    expect(settled).not.toHaveBeenCalled()
    hub.wakeEveryone()
    await inAMoment()
    await gate.open([row('FAILED', 3)])
    expect(settled).toHaveBeenCalledWith(row('FAILED', 3))
    expect(hub.watching).toBe(false)
  })

  test('sleeps on when the run changes without settling', async () => {
    const { settled } = waitFor(running, 30_000)
    hub.announce(ID, row('SCHEDULED', 2))
    await inAMoment()
    expect(settled).not.toHaveBeenCalled()
    hub.announce(ID, row('SUCCEEDED', 5))
    await inAMoment()
    expect(settled).toHaveBeenCalledWith(row('SUCCEEDED', 5))
  })

  test('is told of a settlement that happens while a read is under way, and of one read that is older', async () => {
    const { settled } = waitFor(running, 30_000)
    hub.heard([ID])
    await inAMoment()
    hub.announce(ID, succeeded)
    await gate.open([running])
    expect(settled).toHaveBeenCalledWith(succeeded)
  })

  test('is not ended, and does not spin, for an older settlement than the run that it waits for', async () => {
    const wait = waits.listen(ID)
    hub.announce(ID, row('FAILED', 3))
    const retried = row('QUEUED', 4)
    const settled = vi.fn()
    const waiting = wait.settled(retried, 1_000).then(settled)
    await vi.advanceTimersByTimeAsync(999)
    expect(settled).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    await waiting
    expect(settled).toHaveBeenCalledWith(retried)
    wait.close()
  })

  test('ignores other roots, and looks at its run when another run of its root changed', async () => {
    const { settled } = waitFor(running, 30_000)
    hub.announce(OTHER, row('SUCCEEDED', 9, OTHER))
    await inAMoment()
    expect(query).not.toHaveBeenCalled()
    hub.announce(ID, row('SUCCEEDED', 9, OTHER))
    await inAMoment()
    await gate.open([succeeded])
    expect(settled).toHaveBeenCalledWith(succeeded)
  })
})

describe('a wait that runs out', () => {
  test('answers with the run as it stands, exactly then', async () => {
    const { settled } = waitFor(running, 1_000)
    hub.announce(ID, row('SCHEDULED', 2))
    await vi.advanceTimersByTimeAsync(999)
    expect(settled).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(settled).toHaveBeenCalledWith(row('SCHEDULED', 2))
    expect(hub.watching).toBe(false)
  })

  test.each([0, -1])('after %d ms answers at once, with the newest that is known', async (ms) => {
    const wait = waits.listen(ID)
    hub.announce(ID, row('RUNNING', 2))
    expect(await wait.settled(row('QUEUED', 1), ms)).toEqual(row('RUNNING', 2))
    wait.close()
  })

  test('is not prolonged by hints', async () => {
    query.mockImplementation(async () => [running])
    const { settled } = waitFor(running, 1_000)
    for (let i = 0; i < 10; i++) {
      hub.heard([ID])
      await vi.advanceTimersByTimeAsync(100)
    }
    expect(settled).toHaveBeenCalledTimes(1)
  })
})

describe('a database that is away', () => {
  test('is waited for like the run itself: the next hint reads again', async () => {
    const { settled, rejected } = waitFor(running, 30_000)
    hub.heard([ID])
    await inAMoment()
    await gate.fail(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }))
    expect([settled.mock.calls, rejected.mock.calls]).toEqual([[], []])
    hub.wakeEveryone()
    // after a loss the next read takes a breath
    await until(async () => {
      await inAMoment()
      return query.mock.calls.length === 2
    })
    await gate.open([succeeded])
    expect(settled).toHaveBeenCalledWith(succeeded)
  })
})

describe('many waits', () => {
  test('share their queries, and each gets its own run', async () => {
    const first = waits.read(ID)
    await inAMoment()
    const others = [OTHER, ID, OTHER].map((id) => waits.read(id))
    query.mockImplementation(async (_, ids) => ids.map((id) => row('RUNNING', 1, id)))
    await gate.open([running])
    await inAMoment()
    expect(await first).toBe(running)
    expect((await Promise.all(others)).map((run) => run?.id)).toEqual([OTHER, ID, OTHER])
    expect(query).toHaveBeenCalledTimes(2)
    // the turn in which it looks whether more is to be read
    vi.runOnlyPendingTimers()
  })

  test('of one run all end, and closing one leaves the others listening', async () => {
    const closed = waits.listen(ID)
    const all = [waitFor(running, 30_000), waitFor(running, 30_000)]
    closed.close()
    expect(hub.watching).toBe(true)
    hub.announce(ID, succeeded)
    await inAMoment()
    for (const { settled } of all) expect(settled).toHaveBeenCalledWith(succeeded)
    expect(hub.watching).toBe(false)
  })

  test('end with their runs as they stand when the server stops, and so do those that begin later', async () => {
    const all = [waitFor(running, 30_000), waitFor(row('QUEUED', 1), 30_000)]
    await inAMoment()
    waits.stop()
    all.push(waitFor(running, 30_000))
    await inAMoment()
    expect(all.map(({ settled }) => settled.mock.lastCall?.[0].status)).toEqual(['RUNNING', 'QUEUED', 'RUNNING'])
    expect(hub.watching).toBe(false)
  })

  test('may be closed twice', () => {
    const wait = waits.listen(ID)
    wait.close()
    const next = waits.listen(ID)
    wait.close()
    expect(hub.watching).toBe(true)
    next.close()
    expect(hub.watching).toBe(false)
  })
})
