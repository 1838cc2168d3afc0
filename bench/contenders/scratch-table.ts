import type { Sql } from 'postgres'
import { client } from '../../src/db/client.ts'

/** A table for the baselines, and a client that finds its rows by their key whatever the statistics say. */
export async function scratchTable(databaseUrl: string, connections: number): Promise<Sql> {
  const sql = client(databaseUrl, {
    max: connections,
    fetch_types: true,
    connection: { enable_seqscan: 'off' } as Record<string, string>,
  })
  await sql.unsafe('create schema bench')
  await sql.unsafe('create table bench.pair (id uuid primary key, params json, status text, result json)')
  return sql
}
