import type { RunningContender } from '../running-contender.ts'
import type { Case, Scenario } from '../scenario.ts'

const SHAPES = [
  { label: 'sequence: 1,000 steps', small: ['sequence-100', 100], large: ['sequence-1000', 1_000] },
  { label: 'list: 10,000 steps', small: ['list-100', 102], large: ['list-10000', 10_002] },
  { label: 'graph: 5,000 steps', small: ['graph-100', 102], large: ['graph-5000', 5_002] },
] as const

export const stepCost: Scenario = {
  name: 'step-cost',
  title: 'The cost of a step in a large run',
  about: 'Microseconds for a step of a large run, and of small ones of the same shape, one after the other.',
  contenders: ['product'],
  metrics: [
    { key: 'ratio', label: 'large ÷ small', digits: 2 },
    { key: 'smallUs', label: 'µs a step of 100', digits: 0 },
    { key: 'largeUs', label: 'µs a step of the large run', digits: 0 },
  ],
  targets: SHAPES.map(({ label }) => ({
    what: 'a step of a large run, to one of 100',
    at: label,
    metric: 'ratio',
    atMost: 1.3,
  })),
  cases: () => SHAPES.map(({ label, small, large }) => costOf(label, small, large)),
}

function costOf(
  label: string,
  [small, smallSteps]: readonly [string, number],
  [large, largeSteps]: readonly [string, number],
): Case {
  const microseconds = async (contender: RunningContender, call: string, times: number, steps: number) => {
    const { perSecond = Number.NaN } = await contender.ask({ kind: 'times', call, times, clients: 1 })
    return 1e6 / perSecond / steps
  }
  return {
    label,
    warmUp: (contender) => microseconds(contender, small, 2, smallSteps),
    async measure(contender) {
      // a quarter as many steps in all: enough to average over, in a quarter of the time
      const times = Math.ceil(largeSteps / smallSteps / 4)
      const smallUs = await microseconds(contender, small, times, smallSteps)
      const largeUs = await microseconds(contender, large, 1, largeSteps)
      return { smallUs, largeUs, ratio: largeUs / smallUs }
    },
  }
}
