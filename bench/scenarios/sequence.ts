import { P50, P99, PER_SECOND, roundsOf, type Scenario } from '../scenario.ts'

export const sequence: Scenario = {
  name: 'sequence',
  title: 'Workflow of 10 steps, one after the other',
  about: 'Ten no-ops, each durable before the next begins; awaited until the outcome of the workflow is durable.',
  contenders: ['product', 'dbos', 'restate'],
  metrics: [PER_SECOND, P50, P99],
  chart: { at: '64 clients' },
  targets: [
    { what: 'throughput', at: '64 clients', metric: 'perSecond', over: 'dbos', atLeast: 10 },
    { what: 'throughput', at: '64 clients', metric: 'perSecond', over: 'restate', atLeast: 4 },
    { what: 'p50', at: '1 client', metric: 'p50Ms', over: 'dbos', atMost: 0.4 },
  ],
  cases: (bench) => (bench.quick ? [1, 64] : [1, 16, 64]).map((clients) => roundsOf('sequence', clients, bench)),
}
