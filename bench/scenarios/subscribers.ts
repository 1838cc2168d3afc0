import { type Bench, type Case, noWarmUp, type Scenario } from '../scenario.ts'
import type { Phases } from '../subscribers/measure.ts'
import { measureBare, measureProduct } from '../subscribers/servers.ts'
import { SUBSCRIBERS } from '../subscribers/workload.ts'

const QUICK: Phases = { warmUpMs: 1_000, saturatedMs: 1_500, halfRateMs: 1_000 }
const FULL: Phases = { warmUpMs: 2_000, saturatedMs: 4_000, halfRateMs: 3_000 }
const KB = 1_024

/** As browsers have them, and as a server that passes events on has. */
const SOCKETS = [SUBSCRIBERS, 50]
const labelOf = (sockets: number) => `${sockets.toLocaleString('en')} sockets`
const AT = labelOf(SUBSCRIBERS)

export const subscribers: Scenario = {
  name: 'subscribers',
  title: '5,000 subscribers of 500 busy runs',
  about:
    'Over graphql-ws, against bare graphql-ws and graphql-js that deliver the same payloads from memory; each server, and the subscribers, in processes of their own. Deliveries a second with as much on its way as is taken; latency at half that rate, from just before the write of an event to its arrival; memory as heap for each subscriber.',
  contenders: ['product', 'graphql-ws'],
  own: { product: 'action.do', 'graphql-ws': 'bare graphql-ws' },
  metrics: [
    { key: 'perSecond', label: 'a second', digits: 0 },
    { key: 'p50Ms', label: 'p50 ms', digits: 1 },
    { key: 'p99Ms', label: 'p99 ms', digits: 1 },
    { key: 'elsewhereP99Ms', label: 'p99 ms, of another node', digits: 1 },
    { key: 'heapKb', label: 'KB each', digits: 1 },
    { key: 'wrong', label: 'missing, out of order or twice', digits: 0 },
  ],
  targets: [
    { what: 'deliveries', at: AT, metric: 'perSecond', over: 'graphql-ws', atLeast: 0.7 },
    { what: 'memory for each', at: AT, metric: 'heapKb', atMost: 16, unit: 'KB' },
    { what: 'commit to delivery at half that rate, p99', at: AT, metric: 'p99Ms', atMost: 100, unit: 'ms' },
    { what: 'events missing, out of order or twice', at: AT, metric: 'wrong', atMost: 0 },
  ],
  cases: (bench) => (bench.quick ? SOCKETS.slice(0, 1) : SOCKETS).map((sockets) => streams(sockets, bench)),
}

function streams(sockets: number, { quick, cluster }: Bench): Case {
  const phases = quick ? QUICK : FULL
  return {
    label: labelOf(sockets),
    warmUp: noWarmUp,
    async measure(_, who) {
      const { heapBytesEach, missing, gaps, duplicates, ...figures } =
        who === 'product'
          ? await measureProduct(await cluster.createDatabase('subscribers'), sockets, phases)
          : await measureBare(sockets, phases)
      return { ...figures, heapKb: heapBytesEach / KB, wrong: missing + gaps + duplicates }
    },
  }
}
