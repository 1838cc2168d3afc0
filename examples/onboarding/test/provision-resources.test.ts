import { expect, test } from 'vitest'
import { provisionResources } from '../actions/provision-resources.ts'
import { runAction } from './run-action.ts'

const provision = provisionResources({ stepMs: 0 })
const params = { userId: 'usr_1' }

test('the same key names the same resources, another key others', async () => {
  const first = await runAction(provision, params, { idempotencyKey: 'a' })
  expect(first.plan).toBe('starter')
  expect(await runAction(provision, params, { idempotencyKey: 'a' })).toEqual(first)
  const other = await runAction(provision, params, { idempotencyKey: 'b' })
  expect(other.workspaceId).not.toBe(first.workspaceId)
  expect(other.bucket).not.toBe(first.bucket)
})

test('an attempt goes on from the last heartbeat of the one before', async () => {
  const beats: unknown[] = []
  const record = { heartbeat: (progress: unknown) => void beats.push(progress) }
  await runAction(provision, params, record)
  expect(beats).toHaveLength(5)
  const [, second] = beats.splice(0)
  await runAction(provision, params, { ...record, attempt: 2, lastHeartbeat: second })
  expect(beats).toHaveLength(3)
})

test('a heartbeat of another key is no help', async () => {
  const beats: unknown[] = []
  const lastHeartbeat = { workspaceId: 'ws_other', made: 4 }
  await runAction(provision, params, { lastHeartbeat, heartbeat: (progress) => void beats.push(progress) })
  expect(beats).toHaveLength(5)
})

test('an aborted attempt stops in the middle', async () => {
  const abort = new AbortController()
  const slow = provisionResources({ stepMs: 60_000 })
  const attempt = runAction(slow, params, { signal: abort.signal })
  abort.abort()
  await expect(attempt).rejects.toThrow('aborted')
})
