import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { loadGraphiqlPage, sendGraphiql } from '../../src/server/graphiql.ts'

vi.mock('node:fs/promises', () => ({
  readFile: () => Promise.reject(Object.assign(new Error('no such file'), { code: 'ENOENT' })),
}))

const server = createServer(sendGraphiql)
afterEach(() => server.close())

test('a page that was never built says how to build it', async () => {
  expect(await loadGraphiqlPage()).toBeUndefined()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}/graphql`)
  expect(response.status).toBe(503)
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(await response.text()).toContain('npm run build')
})
