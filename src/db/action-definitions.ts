import type { HttpDefinition } from '../core/http-action/definition.ts'
import { newRunId } from '../core/ids.ts'
import type { Database } from './client.ts'

/** An action that was registered over the API, as it stands. */
export interface StoredAction {
  readonly name: string
  readonly version: number
  readonly definition: HttpDefinition
  /** Those that are valid now, the newest first. */
  readonly secrets: readonly string[]
}

/** The newest version of a name; without a definition where it was removed. */
export interface LatestVersion {
  readonly version: number
  readonly definition: HttpDefinition | null
}

export async function latestVersion(db: Database, name: string): Promise<LatestVersion | undefined> {
  const [row] = await db.hot<LatestVersion[]>`
    select version, definition from action_do.action_definitions where name = ${name} order by version desc limit 1`
  return row
}

/** A version that is to be stored. */
export interface NewVersion {
  readonly name: string
  readonly version: number
  readonly definition: HttpDefinition
  readonly actor: string
}

/** Stores the first version of a registration, with its secret. False: another one took the version. */
export async function storeRegistration(db: Database, next: NewVersion, secret: string): Promise<boolean> {
  const rows = await db.hot`
    with stored as (
      insert into action_do.action_definitions (name, version, definition, defined_at, actor)
      values (${next.name}, ${next.version}, ${JSON.stringify(next.definition)}::text::json, now(), ${next.actor})
      on conflict do nothing
      returning name)
    insert into action_do.action_secrets (id, name, secret, created_at)
    select ${newRunId()}, name, ${secret}, now() from stored
    returning id`
  return rows.length === 1
}

/** Stores a further version. False: another one took the version. */
export async function storeVersion(db: Database, next: NewVersion): Promise<boolean> {
  const rows = await db.hot`
    insert into action_do.action_definitions (name, version, definition, defined_at, actor)
    values (${next.name}, ${next.version}, ${JSON.stringify(next.definition)}::text::json, now(), ${next.actor})
    on conflict do nothing
    returning name`
  return rows.length === 1
}

/** Removes an action, and forgets its secrets; its versions stay. False: another one took the version. */
export async function storeRemoval(db: Database, name: string, version: number, actor: string): Promise<boolean> {
  const rows = await db.hot`
    with removed as (
      insert into action_do.action_definitions (name, version, defined_at, actor)
      values (${name}, ${version}, now(), ${actor})
      on conflict do nothing
      returning name),
    forgotten as (delete from action_do.action_secrets s using removed r where s.name = r.name)
    select name from removed`
  return rows.length === 1
}

/** Adds a secret; those before it expire, if not sooner, after `keepMs`. */
export async function rotateSecret(db: Database, name: string, secret: string, keepMs: number): Promise<void> {
  const offset = db.clock.offsetMs
  await db.hot`
    with expiring as (
      update action_do.action_secrets
      set expires_at = least(expires_at, now() + make_interval(secs => ${(offset + keepMs) / 1000}::float8))
      where name = ${name})
    insert into action_do.action_secrets (id, name, secret, created_at) values (${newRunId()}, ${name}, ${secret}, now())`
}

/** Changes with whatever `storedActions` would answer differently: both tables only ever grow, or lose what has no version. */
export async function actionsFingerprint(db: Database): Promise<string> {
  const [row] = await db.hot<{ fingerprint: string }[]>`
    select concat_ws('/',
      (select count(*) from action_do.action_definitions),
      (select count(*) from action_do.action_secrets),
      (select count(*) from action_do.action_secrets
        where expires_at > now() + make_interval(secs => ${db.clock.offsetMs / 1000}::float8))) as fingerprint`
  return row?.fingerprint ?? ''
}

/** The actions that are registered, by name. */
export async function storedActions(db: Database): Promise<StoredAction[]> {
  return await db.reads<StoredAction[]>`
    select latest.name, latest.version, latest.definition,
      (select coalesce(json_agg(s.secret order by s.created_at desc, s.id desc), '[]')
        from action_do.action_secrets s
        where s.name = latest.name and (s.expires_at is null
          or s.expires_at > now() + make_interval(secs => ${db.clock.offsetMs / 1000}::float8))) as secrets
    from (select distinct on (name) name, version, definition
      from action_do.action_definitions order by name, version desc) latest
    where latest.definition is not null
    order by latest.name`
}
