import { randomUUID } from 'node:crypto'
import { type ConnectionTarget, client } from '../src/db/client.ts'
import { GroupCommit } from '../src/db/group-commit.ts'
import type { Contender } from './measure.ts'

/** 200 bytes of params, as every contender gets them. */
export const PARAMS = { text: 'x'.repeat(188) }
const TEXT = JSON.stringify(PARAMS)

/** The least that a durable action costs without sharing commits: insert, commit, update, commit. */
export async function barePair(target: ConnectionTarget): Promise<Contender> {
  const sql = await scratchTable(target, 'bare', 32)
  return {
    name: 'bare pair of commits',
    async call() {
      const id = randomUUID()
      await sql`insert into bench.bare (id, params, status) values (${id}, ${TEXT}::text::json, 'RUNNING')`
      await sql`update bench.bare set status = 'SUCCEEDED', result = '{"ok":true}' where id = ${id}`
    },
    stop: () => sql.end(),
  }
}

/** The same two statements with natural batching: while one commit is in flight, the next is gathered. */
export async function batchedPair(target: ConnectionTarget): Promise<Contender> {
  const sql = await scratchTable(target, 'batched', 4)
  const byId = (a: string, b: string) => (a < b ? -1 : 1)
  const inserts = new GroupCommit<string, void>(async (ids) => {
    await sql`
      insert into bench.batched (id, params, status)
      select id, params::json, 'RUNNING' from unnest(${ids}::uuid[], ${ids.map(() => TEXT)}::text[]) as i(id, params)`
    return ids.map(() => undefined)
  }, byId)
  const updates = new GroupCommit<string, void>(async (ids) => {
    await sql`update bench.batched set status = 'SUCCEEDED', result = '{"ok":true}' where id = any(${ids}::uuid[])`
    return ids.map(() => undefined)
  }, byId)
  return {
    name: 'batched pair of commits',
    async call() {
      const id = randomUUID()
      await inserts.submit(id)
      await updates.submit(id)
    },
    stop: () => sql.end(),
  }
}

async function scratchTable(target: ConnectionTarget, name: string, max: number) {
  const sql = client(target, {
    max,
    fetch_types: true,
    connection: { enable_seqscan: 'off' } as Record<string, string>,
  })
  await sql.unsafe('create schema if not exists bench')
  await sql.unsafe(`drop table if exists bench.${name}`)
  await sql.unsafe(`create table bench.${name} (id uuid primary key, params json, status text, result json)`)
  return sql
}
