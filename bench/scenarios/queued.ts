import type { RunningContender } from '../running-contender.ts'
import { PER_SECOND, type Scenario } from '../scenario.ts'

export const queued: Scenario = {
  name: 'queued',
  title: 'Many actions queued at once, enqueued and worked off',
  about:
    'Nobody waits for one of them: the clock runs from the first enqueuing call until the last action has its durable end. In bulk, 1,000 a call, where the contender has such a call.',
  contenders: ['product', 'graphile-worker', 'pg-boss', 'dbos'],
  metrics: [PER_SECOND, { key: 'enqueuedPerSecond', label: 'enqueued a second', digits: 0 }],
  chart: {},
  targets: [
    { what: 'throughput', metric: 'perSecond', over: 'pg-boss', atLeast: 1 },
    { what: 'throughput', metric: 'perSecond', over: 'dbos', atLeast: 20 },
  ],
  cases: ({ quick }) => {
    const count = quick ? 5_000 : 20_000
    const work = (contender: RunningContender, n: number) => contender.ask({ kind: 'backlog', count: n })
    return [
      {
        label: `${count.toLocaleString('en')} actions`,
        warmUp: (contender) => work(contender, count / 20),
        measure: (contender) => work(contender, count),
      },
    ]
  },
}
