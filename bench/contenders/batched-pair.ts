import { randomUUID } from 'node:crypto'
import type { Contender, Surroundings } from '../contender.ts'
import { NaturalBatches } from '../natural-batches.ts'
import { noop, PARAMS, RESULT } from '../noop.ts'
import { scratchTable } from './scratch-table.ts'

export const setUp =
  'The same two statements with natural batching: while one commit is in flight, the next is gathered (`unnest`). What Postgres can do when every commit is shared.'

const TEXT = JSON.stringify(PARAMS)
const RESULT_TEXT = JSON.stringify(RESULT)

export async function start({ databaseUrl }: Surroundings): Promise<Contender> {
  const sql = await scratchTable(databaseUrl, 4)
  const inserts = new NaturalBatches<string>(
    (ids) => sql`
      insert into bench.pair (id, params, status)
      select id, params::json, 'RUNNING' from unnest(${ids}::uuid[], ${ids.map(() => TEXT)}::text[]) as i(id, params)`,
  )
  const updates = new NaturalBatches<string>(
    (ids) =>
      sql`update bench.pair set status = 'SUCCEEDED', result = ${RESULT_TEXT}::text::json where id = any(${ids}::uuid[])`,
  )
  return {
    calls: {
      async execute() {
        const id = randomUUID()
        await inserts.submit(id)
        noop()
        await updates.submit(id)
      },
    },
    stop: () => sql.end(),
  }
}
