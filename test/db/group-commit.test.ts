import { describe, expect, test } from 'vitest'
import { byBucketAndId, GroupCommit } from '../../src/db/group-commit.ts'
import { until } from '../support/until.ts'
import { evenOrOdd, inOrder, type ManualCommits, manualCommits, quiet, settled } from './group-commit-support.ts'

const dataError = () => Object.assign(new Error('refused'), { code: '22P02' })
const unavailable = () => Object.assign(new Error('gone'), { code: 'CONNECTION_CLOSED' })
const refuse77 = (items: number[]) => {
  if (items.includes(77)) throw dataError()
}

type Options = NonNullable<ConstructorParameters<typeof GroupCommit<number, string>>[2]>

function group(options: Options = {}): ManualCommits & { submit(n: number): Promise<string> } {
  const commits = manualCommits()
  const batches = new GroupCommit<number, string>(commits.commit, inOrder, options)
  return { ...commits, submit: (n) => batches.submit(n) }
}

describe('batching', () => {
  test('with nothing in flight an item goes at once, with what came in the same turn of the event loop', async () => {
    const { submit, begun } = group()
    for (const n of [1, 2]) void submit(n)
    await new Promise((resolve) => setImmediate(resolve))
    expect(begun).toEqual([[1, 2]])
  })

  test('what arrives while a commit is in flight shares the next one', async () => {
    const { submit, begun, finish } = group()
    const first = submit(1)
    await quiet()
    const all = [first, ...[2, 3, 4].map(submit)]
    await quiet()
    expect(begun).toEqual([[1]])
    await finish()
    expect(begun).toEqual([[1], [2, 3, 4]])
    await finish()
    expect(await Promise.all(all)).toEqual(['done 1', 'done 2', 'done 3', 'done 4'])
    expect(begun).toHaveLength(2)
  })

  test('after a pause an item again goes at once', async () => {
    const { submit, begun, finish } = group()
    void submit(1)
    await finish()
    void submit(2)
    await quiet()
    expect(begun).toEqual([[1], [2]])
  })

  test('a promise settles only after its own batch has committed', async () => {
    const { submit, finish } = group({ maxBatch: 1 })
    const [first, second] = [submit(1), submit(2)]
    expect(await settled([first, second])).toEqual([false, false])
    await finish()
    expect(await settled([first, second])).toEqual([true, false])
    await finish()
    expect(await settled([first, second])).toEqual([true, true])
  })

  test('a batch is no larger than allowed, and the rest follows in the order in which it came', async () => {
    const { submit, begun, finish } = group({ maxBatch: 2 })
    for (const n of [9, 5, 4, 3, 2, 1]) void submit(n)
    for (let i = 0; i < 3; i++) await finish()
    expect(begun).toEqual([
      [5, 9],
      [3, 4],
      [1, 2],
    ])
  })

  test('of many that come together half goes first, and the others right behind; then each crowd goes whole', async () => {
    const { submit, begun, finish } = group({ enough: 2 })
    const first = [4, 3, 2, 1].map(submit)
    await quiet()
    expect(begun).toEqual([
      [3, 4],
      [1, 2],
    ])
    // two are under way: who comes now waits for one of them
    for (const n of [8, 7, 6, 5]) void submit(n)
    await quiet()
    expect(begun).toHaveLength(2)
    await finish()
    expect(await Promise.all(first.slice(0, 2))).toEqual(['done 4', 'done 3'])
    expect(begun.slice(2)).toEqual([[5, 6, 7, 8]])
  })

  test('few go as one batch, and fewer than are enough do not go beside another', async () => {
    const { submit, begun, finish } = group({ enough: 3 })
    for (const n of [5, 4, 3, 2, 1]) void submit(n)
    await quiet()
    for (const n of [6, 7]) void submit(n)
    await quiet()
    expect(begun).toEqual([[1, 2, 3, 4, 5]])
    void submit(8)
    await quiet()
    expect(begun.slice(1)).toEqual([[6, 7, 8]])
    await finish()
  })

  test('nothing is halved while the database has something else to do', async () => {
    let idle = false
    const { submit, begun, finish } = group({ enough: 1, isIdle: () => idle })
    for (const n of [1, 2]) void submit(n)
    await finish()
    idle = true
    for (const n of [3, 4]) void submit(n)
    await quiet()
    expect(begun).toEqual([[1, 2], [3], [4]])
  })

  test('a group goes together, and is never in two commits at once', async () => {
    const { submit, begun, finish } = group({ enough: 1, groupOf: evenOrOdd })
    for (const n of [2, 4, 6, 1, 8, 3]) void submit(n)
    await quiet()
    expect(begun).toEqual([
      [2, 4, 6, 8],
      [1, 3],
    ])
    await finish()
    // the odd ones are under way: only the even ones may go
    for (const n of [5, 10]) void submit(n)
    await quiet()
    expect(begun.slice(2)).toEqual([[10]])
    await finish()
    expect(begun.slice(3)).toEqual([[5]])
  })

  test('a group that is too large for a batch goes in parts, one after the other', async () => {
    const { submit, begun, finish } = group({ enough: 1, maxBatch: 2, groupOf: evenOrOdd })
    for (const n of [2, 4, 6]) void submit(n)
    await quiet()
    void submit(1)
    await quiet()
    expect(begun).toEqual([[2, 4], [1]])
    await finish()
    expect(begun.slice(2)).toEqual([[6]])
  })

  test('an item that is submitted because another was committed is not forgotten', async () => {
    const { submit, begun, finish } = group()
    const chained = submit(1).then(() => submit(2))
    await finish()
    expect(begun).toEqual([[1], [2]])
    await finish()
    expect(await chained).toBe('done 2')
  })

  test('the same item twice gets two answers', async () => {
    const { submit, finish } = group()
    const both = [submit(1), submit(5), submit(5)]
    await finish()
    expect(await Promise.all(both)).toEqual(['done 1', 'done 5', 'done 5'])
  })
})

describe('a bad row', () => {
  test('fails alone: its neighbours are committed in halves around it', async () => {
    const { submit, begun, finish } = group()
    const all = Promise.allSettled([0, 10, 20, 77, 90].map(submit))
    for (let i = 0; i < 7; i++) await finish(refuse77)
    expect(begun).toEqual([[0, 10, 20, 77, 90], [0, 10], [20, 77, 90], [20], [77, 90], [77], [90]])
    const outcomes = await all
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ])
    expect(outcomes[3]).toMatchObject({ reason: { code: '22P02' } })
  })

  test('holds what came later back until its batch is settled', async () => {
    const { submit, begun, finish } = group()
    for (const n of [10, 77]) submit(n).catch(() => {})
    await quiet()
    void submit(1)
    await finish(refuse77)
    await finish()
    expect(begun.at(-1)).toEqual([77])
    await finish(refuse77)
    expect(begun.at(-1)).toEqual([1])
  })

  test('that is alone is rejected without another try', async () => {
    const { submit, begun, finish } = group()
    const lone = submit(77)
    lone.catch(() => {})
    await finish(refuse77)
    await expect(lone).rejects.toMatchObject({ code: '22P02' })
    expect(begun).toEqual([[77]])
  })
})

describe('a database that is away', () => {
  test('rejects the whole batch at once, for whether it committed is not known, and the next batch is tried', async () => {
    const { submit, begun, finish } = group()
    const all = [1, 2, 3].map(submit)
    for (const one of all) one.catch(() => {})
    await finish(() => {
      throw unavailable()
    })
    const outcomes = await Promise.allSettled(all)
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    const after = submit(5)
    // after a breath, in which the other connections learn that they are gone too
    await until(() => begun.length === 2)
    await finish()
    expect(await after).toBe('done 5')
    expect(begun).toEqual([[1, 2, 3], [5]])
  })

  test('is an error like any other when the commit throws before it begins', async () => {
    const batches = new GroupCommit<number, string>(() => {
      throw unavailable()
    }, inOrder)
    await expect(batches.submit(1)).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
    await expect(batches.submit(2)).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
  })
})

describe('the order of rows', () => {
  const rows = [
    { bucket: 2, id: 'a' },
    { bucket: 10, id: 'a' },
    { bucket: 2, id: 'b' },
    { bucket: 0, id: 'f' },
  ]

  test('is that of bucket, as a number, then id', () => {
    expect([...rows].sort(byBucketAndId).map(({ bucket, id }) => `${bucket}${id}`)).toEqual(['0f', '2a', '2b', '10a'])
    expect(byBucketAndId({ bucket: 1, id: 'x' }, { bucket: 1, id: 'x' })).toBe(0)
  })

  test('is kept in every batch, and each caller still gets the answer to its own', async () => {
    const seen: string[][] = []
    const batches = new GroupCommit<(typeof rows)[number], string>(async (items) => {
      seen.push(items.map(({ bucket, id }) => `${bucket}${id}`))
      return items.map(({ bucket, id }) => `done ${bucket}${id}`)
    }, byBucketAndId)
    const all = rows.map((row) => batches.submit(row))
    expect(await Promise.all(all)).toEqual(['done 2a', 'done 10a', 'done 2b', 'done 0f'])
    expect(seen).toEqual([['0f', '2a', '2b', '10a']])
  })
})
