import { type Bench, type Case, noWarmUp, type Scenario } from '../scenario.ts'
import { startChild } from '../subscribers/children.ts'

/** As many as are executed at once, and as many again. */
const FEW = 200
const MB = 1_048_576

export const queueMemory: Scenario = {
  name: 'queue-memory',
  title: 'The memory that a queue takes',
  about:
    'The heap of a server that executes 100 runs at once, after a full collection: with 100 more that wait, and with many. It must be bounded by what is executed, not by what waits.',
  contenders: ['product'],
  own: { product: 'action.do' },
  metrics: [
    { key: 'ratio', label: 'many ÷ few', digits: 2 },
    { key: 'fewMb', label: 'MB, 100 wait', digits: 1 },
    { key: 'manyMb', label: 'MB, many wait', digits: 1 },
  ],
  targets: [{ what: 'heap with many that wait, to that with few', metric: 'ratio', atMost: 1.1 }],
  cases: (bench) => [memoryOf(bench)],
}

function memoryOf({ quick, cluster }: Bench): Case {
  const many = quick ? 20_000 : 100_000
  return {
    label: `${many.toLocaleString('en')} queued`,
    warmUp: noWarmUp,
    async measure() {
      const server = startChild('../queue-memory-server.ts', [await cluster.createDatabase('queue_memory')])
      try {
        const few = await server.call<number>('heapWith', FEW)
        const all = await server.call<number>('heapWith', many - FEW)
        return { fewMb: few / MB, manyMb: all / MB, ratio: all / few }
      } finally {
        await server.stop()
      }
    },
  }
}
