import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Loop } from '../../src/executor/loop.ts'
import { Gate } from './gate.ts'

const log = pino({ level: 'silent' })

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A loop whose turns answer `delayMs` at once. */
function counted(delayMs: number) {
  const turn = vi.fn(async () => delayMs)
  return { turn, loop: new Loop('counting', log, turn) }
}

/** A loop whose turns end when the test says. */
function gated() {
  const gate = new Gate<number>()
  const turn = vi.fn(() => gate.pass())
  return { gate, turn, loop: new Loop('gated', log, turn) }
}

describe('a loop', () => {
  test('does nothing until it is woken, and then begins in the same turn', () => {
    const { turn, loop } = counted(1_000)
    expect(turn).not.toHaveBeenCalled()
    loop.wake()
    expect(turn).toHaveBeenCalledTimes(1)
  })

  test('takes the next turn when the last one said, or up to a fifth sooner', async () => {
    const { turn, loop } = counted(1_000)
    loop.wake()
    await vi.advanceTimersByTimeAsync(799)
    expect(turn).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(201)
    expect(turn).toHaveBeenCalledTimes(2)
  })

  test('that is woken between turns takes one at once, and the interval begins anew', async () => {
    const { turn, loop } = counted(1_000)
    loop.wake()
    await vi.advanceTimersByTimeAsync(700)
    loop.wake()
    expect(turn).toHaveBeenCalledTimes(2)
    await vi.advanceTimersByTimeAsync(799)
    expect(turn).toHaveBeenCalledTimes(2)
    await vi.advanceTimersByTimeAsync(201)
    expect(turn).toHaveBeenCalledTimes(3)
  })

  test('that is woken often during a turn takes exactly one more, afterwards', async () => {
    const { gate, turn, loop } = gated()
    loop.wake()
    for (let i = 0; i < 5; i++) loop.wake()
    expect(turn).toHaveBeenCalledTimes(1)
    await gate.open(60_000)
    expect(turn).toHaveBeenCalledTimes(2)
    await gate.open(60_000)
    expect(turn).toHaveBeenCalledTimes(2)
    expect(vi.getTimerCount()).toBe(1)
  })

  test('goes on after a turn that failed, half a second later, and says so', async () => {
    const warn = vi.fn()
    const turn = vi.fn(async () => {
      throw new Error('no database')
    })
    const loop = new Loop('failing', Object.assign(pino({ level: 'silent' }), { warn }), turn)
    loop.wake()
    await vi.advanceTimersByTimeAsync(399)
    expect(turn).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(101)
    expect(turn).toHaveBeenCalledTimes(2)
    expect(warn).toHaveBeenCalledTimes(2)
    expect(warn.mock.calls[0]?.[1]).toContain('failing')
  })

  test('survives a turn that throws before it returns a promise', async () => {
    const turn = vi.fn((): Promise<number> => {
      throw new Error('at once')
    })
    const loop = new Loop('throwing', log, turn)
    loop.wake()
    await vi.advanceTimersByTimeAsync(500)
    expect(turn).toHaveBeenCalledTimes(2)
  })
})

describe('a loop that is stopped', () => {
  test('between turns takes no more, and leaves no timer', async () => {
    const { turn, loop } = counted(1_000)
    loop.wake()
    await vi.advanceTimersByTimeAsync(0)
    await loop.stop()
    loop.wake()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(turn).toHaveBeenCalledTimes(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('during a turn ends it first, and forgets that it was woken', async () => {
    const { gate, turn, loop } = gated()
    loop.wake()
    loop.wake()
    const stopped = vi.fn()
    const stopping = loop.stop().then(stopped)
    await vi.advanceTimersByTimeAsync(0)
    expect(stopped).not.toHaveBeenCalled()
    await gate.open(0)
    await stopping
    await vi.advanceTimersByTimeAsync(10_000)
    expect(turn).toHaveBeenCalledTimes(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('before it began, or twice, is simply stopped', async () => {
    const { turn, loop } = counted(1)
    await Promise.all([loop.stop(), loop.stop()])
    loop.wake()
    expect(turn).not.toHaveBeenCalled()
  })
})
