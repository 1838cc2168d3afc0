import { type Bench, type Case, roundsOf, type Scenario } from '../scenario.ts'

const CLIENTS = 64

export const written: Scenario = {
  name: 'written',
  title: 'What an action writes',
  about:
    'Transactions that write, and WAL, for each action at 64 clients, by the counters of the cluster while only this contender has work. No checkpoint comes before it: after one, each page goes into the WAL whole when it is first changed.',
  contenders: ['product', 'batched', 'bare', 'graphile-worker', 'pg-boss', 'dbos'],
  metrics: [
    { key: 'transactions', label: 'transactions an action', digits: 3 },
    { key: 'walBytes', label: 'bytes of WAL an action', digits: 0 },
  ],
  targets: [
    { what: 'transactions an action', metric: 'transactions', atMost: 0.2 },
    { what: 'WAL an action', metric: 'walBytes', atMost: 2_560, unit: 'bytes' },
  ],
  cases: (bench) => [writtenBy(bench)],
}

function writtenBy(bench: Bench): Case {
  const round = roundsOf('execute', CLIENTS, bench)
  return {
    ...round,
    withoutCheckpoint: true,
    async measure(contender, variant) {
      const before = await bench.cluster.written()
      const { calls = Number.NaN } = await round.measure(contender, variant)
      const after = await bench.cluster.written()
      return {
        transactions: (after.transactions - before.transactions) / calls,
        walBytes: (after.walBytes - before.walBytes) / calls,
      }
    },
  }
}
