import { tmpdir } from 'node:os'
import { type RunningContender, startContender } from '../running-contender.ts'
import { type Bench, type Case, clientsLabel, P50, P99, PER_SECOND, type Scenario } from '../scenario.ts'

export const overHttp: Scenario = {
  name: 'http',
  title: 'Execute and wait, over HTTP',
  about:
    'The same over HTTP/1.1 with kept connections, the load in a process of its own: action.do with its whole GraphQL API, API key and all; DBOS behind a bare `node:http` endpoint that parses a body and answers with the result.',
  contenders: ['product', 'dbos'],
  metrics: [PER_SECOND, P50, P99],
  chart: { at: '64 clients' },
  targets: [{ what: 'throughput', at: '64 clients', metric: 'perSecond', over: 'dbos', atLeast: 8 }],
  cases: (bench) => (bench.quick ? [64] : [1, 16, 64]).map((clients) => loadOf(clients, bench)),
}

/** One process of load for each contender: it is told where to send it. */
function loadOf(clients: number, { roundMs, warmUpMs }: Bench): Case {
  const loads = new Map<string, Promise<RunningContender>>()
  const round = async (contender: RunningContender, ms: number) => {
    const url = contender.url ?? ''
    if (!loads.has(url)) loads.set(url, startLoad(url))
    const load = await loads.get(url)
    if (!load) throw new Error('no load')
    return load.ask({ kind: 'round', call: url.endsWith('/graphql') ? 'graphql' : 'plain', clients, ms })
  }
  return {
    label: clientsLabel(clients),
    warmUp: (contender) => round(contender, warmUpMs),
    measure: (contender) => round(contender, roundMs),
    async close() {
      for (const load of loads.values()) await load.then((one) => one.stop())
    },
  }
}

function startLoad(url: string): Promise<RunningContender> {
  return startContender('http-load.ts', false, { databaseUrl: '', folder: tmpdir(), arguments: { url } })
}
