import { randomUUID } from 'node:crypto'
import type { Contender, Surroundings } from '../contender.ts'
import { noop, PARAMS } from '../noop.ts'
import { scratchTable } from './scratch-table.ts'

export const setUp =
  'The least that a durable action costs without sharing commits: postgres.js with 32 connections inserts a row, commits, updates it, commits. Two prepared statements by primary key; no attempt, event, lease or queue.'

const TEXT = JSON.stringify(PARAMS)

export async function start({ databaseUrl }: Surroundings): Promise<Contender> {
  const sql = await scratchTable(databaseUrl, 32)
  return {
    calls: {
      async execute() {
        const id = randomUUID()
        await sql`insert into bench.pair (id, params, status) values (${id}, ${TEXT}::text::json, 'RUNNING')`
        const result = JSON.stringify(noop())
        await sql`update bench.pair set status = 'SUCCEEDED', result = ${result}::text::json where id = ${id}`
      },
    },
    stop: () => sql.end(),
  }
}
