import { P50, P99, PER_SECOND, roundsOf, type Scenario } from '../scenario.ts'

export const fanOut: Scenario = {
  name: 'fan-out',
  title: 'Workflow of 1, then 50 at once, then 1',
  about: 'A no-op, 50 that depend on it, and one that depends on all of them, each durable.',
  contenders: ['product', 'dbos', 'restate'],
  metrics: [PER_SECOND, P50, P99],
  chart: { at: '16 clients' },
  targets: [
    { what: 'throughput', at: '16 clients', metric: 'perSecond', over: 'dbos', atLeast: 10 },
    { what: 'throughput', at: '16 clients', metric: 'perSecond', over: 'restate', atLeast: 5 },
  ],
  cases: (bench) => (bench.quick ? [16] : [1, 16]).map((clients) => roundsOf('fan-out', clients, bench)),
}
