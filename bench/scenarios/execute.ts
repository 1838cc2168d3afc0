import { P50, P99, PER_SECOND, roundsOf, type Scenario } from '../scenario.ts'

export const execute: Scenario = {
  name: 'execute',
  title: 'Execute and wait, in process',
  about: 'A no-op with 200 bytes of params and a key of its own each time, awaited until its outcome is durable.',
  contenders: [
    'product',
    'batched',
    'bare',
    'graphile-worker',
    'pg-boss',
    'dbos',
    'dbos/no step',
    'restate',
    'restate/no step',
  ],
  metrics: [PER_SECOND, P50, P99],
  chart: { at: '64 clients' },
  targets: [
    { what: 'throughput', at: '64 clients', metric: 'perSecond', over: 'batched', atLeast: 0.5 },
    { what: 'throughput', at: '64 clients', metric: 'perSecond', over: 'dbos', atLeast: 25 },
    { what: 'p50', at: '1 client', metric: 'p50Ms', over: 'bare', atMost: 2.5 },
  ],
  cases: (bench) => (bench.quick ? [1, 64] : [1, 16, 64, 128]).map((clients) => roundsOf('execute', clients, bench)),
}
