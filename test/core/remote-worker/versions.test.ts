import { expect, test } from 'vitest'
import { chooseVersion } from '../../../src/core/remote-worker/versions.ts'

const versions = (...same: boolean[]) => same.map((each, i) => ({ version: same.length - i, same: each }))

test.each([
  ['the first registration', [], 0, { version: 1, store: true }],
  ['the newest again', versions(true, false), 2, { version: 2, store: false }],
  ['something new', versions(false, false), 2, { version: 3, store: true }],
  ['an older one, while workers of the newest live', versions(false, true), 2, { version: 1, store: false }],
  ['an older one, rolled back to', versions(false, true), 0, { version: 3, store: true }],
  ['an older one, beside others of it', versions(false, true), 1, { version: 1, store: false }],
  ['what was the same twice', versions(false, true, false, true), 4, { version: 3, store: false }],
])('%s', (_, known, newestLive, chosen) => {
  expect(chooseVersion(known, newestLive)).toEqual(chosen)
})
