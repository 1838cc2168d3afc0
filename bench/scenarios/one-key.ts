import type { RunningContender } from '../running-contender.ts'
import { P50, P99, PER_SECOND, type Scenario } from '../scenario.ts'

const CLIENTS = 64

export const oneKey: Scenario = {
  name: 'one-key',
  title: 'Everybody calls with the same key',
  about: '2,000 calls with one idempotency key, 64 at a time: one execution, and its result for everybody.',
  contenders: ['product', 'dbos', 'restate', 'pg-boss'],
  metrics: [PER_SECOND, P50, P99, { key: 'executions', label: 'executions', digits: 0 }],
  chart: {},
  targets: [
    { what: 'throughput', metric: 'perSecond', over: 'dbos', atLeast: 6 },
    { what: 'throughput', metric: 'perSecond', over: 'restate', atLeast: 1 },
    { what: 'executions', metric: 'executions', atMost: 1 },
  ],
  cases: () => {
    const calls = (contender: RunningContender, n: number) =>
      contender.ask({ kind: 'oneKey', calls: n, clients: CLIENTS })
    return [
      {
        label: '2,000 calls',
        warmUp: (contender) => calls(contender, 200),
        measure: (contender) => calls(contender, 2_000),
      },
    ]
  },
}
