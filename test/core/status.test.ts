import { expect, test } from 'vitest'
import {
  ATTEMPT_STATUS_MEANINGS,
  ATTEMPT_STATUSES,
  ENDED_STATUSES,
  hasEnded,
  isSettled,
  RUN_KINDS,
  RUN_STATUS_MEANINGS,
  RUN_STATUSES,
} from '../../src/core/status.ts'

test('every state of a run and of an attempt is listed once and says what it means', () => {
  expect(Object.keys(RUN_STATUS_MEANINGS)).toEqual([...RUN_STATUSES])
  expect(Object.keys(ATTEMPT_STATUS_MEANINGS)).toEqual([...ATTEMPT_STATUSES])
  for (const meaning of [...Object.values(RUN_STATUS_MEANINGS), ...Object.values(ATTEMPT_STATUS_MEANINGS)])
    expect(meaning).toMatch(/^[A-Z].{5,}\.$/)
})

test('a run has ended exactly in the states whose meaning says so', () => {
  for (const status of RUN_STATUSES) {
    expect(hasEnded(status)).toBe((ENDED_STATUSES as readonly string[]).includes(status))
    expect(hasEnded(status)).toBe(RUN_STATUS_MEANINGS[status].startsWith('Ended:'))
  }
})

test('a wait is over when the run has ended, or when only a person can go on', () => {
  expect(RUN_STATUSES.filter((status) => isSettled(status) && !hasEnded(status))).toEqual(['INDETERMINATE'])
  expect(RUN_STATUSES.filter((status) => hasEnded(status) && !isSettled(status))).toEqual([])
})

test('the kinds of a run are part of the ids of keyed runs and never change', () => {
  expect(RUN_KINDS.slice(0, 2)).toEqual(['ACTION', 'WORKFLOW'])
})
