import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DurableClock } from '../../src/core/clock.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

test('before the database was asked, durable time is the time of this process', () => {
  expect(new DurableClock().nowMs()).toBeCloseTo(1_000_000, 3)
})

test('a reading of the database sets the clock, and the monotonic clock of the process carries it on', () => {
  const clock = new DurableClock()
  clock.observe(new Date(5_000_000))
  expect(clock.nowMs()).toBeCloseTo(5_000_000, 3)
  vi.advanceTimersByTime(1_500)
  expect(clock.nowMs()).toBeCloseTo(5_001_500, 3)
})

test('an adjustment of the machine’s wall clock moves nothing', () => {
  const clock = new DurableClock()
  clock.observe(new Date(5_000_000))
  vi.setSystemTime(99_000_000)
  expect(clock.nowMs()).toBeCloseTo(5_000_000, 3)
})

test('an offset moves durable time forward at once, and back when it is taken away', () => {
  const clock = new DurableClock()
  clock.observe(new Date(5_000_000))
  clock.offsetMs = 3_600_000
  expect(clock.nowMs()).toBeCloseTo(8_600_000, 3)
  clock.offsetMs = 0
  expect(clock.nowMs()).toBeCloseTo(5_000_000, 3)
})

test('a reading that includes the offset does not count it twice', () => {
  const clock = new DurableClock()
  clock.offsetMs = 60_000
  clock.observe(new Date(5_060_000))
  expect(clock.nowMs()).toBeCloseTo(5_060_000, 3)
  clock.offsetMs = 0
  expect(clock.nowMs()).toBeCloseTo(5_000_000, 3)
})
