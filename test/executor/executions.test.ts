import { expect, test } from 'vitest'
import type { RunRow } from '../../src/db/rows.ts'
import { RunRevoked } from '../../src/executor/abort.ts'
import { Executions } from '../../src/executor/executions.ts'

const run = (fence: number) => ({ id: 'one', fence }) as RunRow

test('the end of an older execution of a run leaves the newer one in place, and the older one was told to stop', () => {
  const executions = new Executions()
  const older = executions.begin(run(1))
  const newer = executions.begin(run(3))
  expect(older.abort.signal.reason).toBeInstanceOf(RunRevoked)
  expect(newer.abort.signal.aborted).toBe(false)
  executions.end(older)
  expect(executions.get('one')).toBe(newer)
  executions.end(newer)
  expect(executions.has('one')).toBe(false)
})

test('idle waits for what is under way, for older executions too, and for what is reserved', async () => {
  const executions = new Executions()
  executions.reserve()
  const older = executions.begin(run(1))
  const newer = executions.begin(run(2))
  let idle = false
  const waiting = executions.idle(60_000).then(() => {
    idle = true
  })
  executions.end(newer)
  executions.end(older)
  await Promise.resolve()
  expect(idle).toBe(false)
  executions.unreserve()
  await waiting
  expect(idle).toBe(true)
})

test('idle gives up after its time', async () => {
  const executions = new Executions()
  executions.reserve()
  await executions.idle(5)
  expect(executions.size).toBe(0)
})
