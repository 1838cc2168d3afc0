import { newRunId, showRunId } from '../../src/core/ids.ts'
import { startChild } from './children.ts'
import { type Measured, measure, type Phases } from './measure.ts'
import { RUNS } from './workload.ts'
import { type Batch, startWriter } from './writer.ts'

/** The product: a server that streams what is written beside it, as its own and as another node's. */
export async function measureProduct(databaseUrl: string, sockets: number, phases: Phases): Promise<Measured> {
  const server = startChild('product-server.ts', [databaseUrl])
  // it has migrated the database once it listens
  await server.call('url')
  const writer = await startWriter(databaseUrl, RUNS)
  const publish = async (batch: Batch) => server.call<void>('announce', await writer.write(batch))
  const publishElsewhere = async (batch: Batch) => writer.hint(await writer.write(batch))
  try {
    return await measure({ server, publish, publishElsewhere }, writer.ids, sockets, phases)
  } finally {
    await writer.stop()
  }
}

/** Bare graphql-ws over graphql-js, which has the same payloads in memory. */
export function measureBare(sockets: number, phases: Phases): Promise<Measured> {
  const ids = Array.from({ length: RUNS }, () => showRunId(newRunId()))
  const server = startChild('baseline-server.ts', [JSON.stringify(ids)])
  const publish = (batch: Batch) => server.call<void>('publish', batch)
  return measure({ server, publish, publishElsewhere: publish }, ids, sockets, phases)
}
