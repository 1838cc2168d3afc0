import { expect, test } from 'vitest'
import { EFFECTS } from '../../src/core/effect.ts'

test('there are three effect classes, in the order that the database’s type has them', () => {
  expect(EFFECTS).toEqual(['transactional', 'idempotent', 'unsafe'])
})
