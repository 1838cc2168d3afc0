import { afterEach, expect, test, vi } from 'vitest'
import { byBucketAndId, GroupCommit } from '../../src/db/group-commit.ts'
import { databaseFault } from '../../src/db/pg-errors.ts'
import { quiet } from './group-commit-support.ts'

afterEach(() => {
  vi.useRealTimers()
})

test('a batch that is never answered is given up as unavailable, and the next one goes', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  let commits = 0
  const commit = new GroupCommit<{ bucket: number; id: string }, string>(
    (items) => (++commits === 1 ? new Promise(() => {}) : Promise.resolve(items.map(({ id }) => id))),
    byBucketAndId,
  )
  const first = commit.submit({ bucket: 1, id: 'a' }).catch((error: unknown) => databaseFault(error))
  await quiet()
  const second = commit.submit({ bucket: 1, id: 'b' })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(await first).toBe('unavailable')
  vi.useRealTimers()
  expect(await second).toBe('b')
  expect(commits).toBe(2)
})
