import { type JsonStatement, jsonStatement } from '../statement.ts'
import type { StatementRunner } from './statement-runner.ts'

/** The idempotency key of a control mutation of a run. */
export interface CommandKey {
  readonly bucket: number
  readonly runId: string
  readonly kind: string
  readonly key: string
}

const find: JsonStatement<{ fingerprint: string }> = jsonStatement(`
select encode(c.fingerprint, 'hex') as fingerprint
from json_to_record(:input) as i(bucket int2, "runId" uuid, kind text, key text)
cross join lateral (
  select c.fingerprint from action_do.commands c
  where c.bucket = i.bucket and c.run_id = i."runId" and c.kind = i.kind and c.key = i.key offset 0
) c`)

/** The fingerprint of what was asked for under a key before, in hexadecimal. */
export async function findCommand(run: StatementRunner, command: CommandKey): Promise<string | undefined> {
  return (await run(find, command))[0]?.fingerprint
}

const keep: JsonStatement<{ key: string }> = jsonStatement(`
insert into action_do.commands (bucket, run_id, kind, key, fingerprint, outcome, at)
select i.bucket, i."runId", i.kind, i.key, decode(i.fingerprint, 'hex'), i.outcome, clock_timestamp()
from json_to_record(:input) as i(bucket int2, "runId" uuid, kind text, key text, fingerprint text, outcome json)
returning key`)

/** Keeps a key, in the transaction of what it caused. */
export async function keepCommand(
  run: StatementRunner,
  command: CommandKey & { fingerprint: string; outcome: unknown },
): Promise<void> {
  await run(keep, command)
}
