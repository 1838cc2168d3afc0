import type { HttpDefinition } from '../core/http-action/definition.ts'
import { newRunId } from '../core/ids.ts'
import type { WorkerDefinition } from '../core/remote-worker/definition.ts'
import type { Database } from './client.ts'

/** How an action is kept that was registered over the API. */
export type OutsideDefinition = HttpDefinition | WorkerDefinition

/** An action that was registered over the API, as it stands. */
export interface StoredAction {
  readonly name: string
  readonly version: number
  readonly definition: OutsideDefinition
  /** Those that are valid now, the newest first. */
  readonly secrets: readonly string[]
}

/** The newest version of a name; without a definition where it was removed. */
export interface LatestVersion {
  readonly version: number
  readonly definition: OutsideDefinition | null
}

export async function latestVersion(db: Database, name: string): Promise<LatestVersion | undefined> {
  const [row] = await db.hot<LatestVersion[]>`
    select version, definition from action_do.action_definitions where name = ${name} order by version desc limit 1`
  return row
}

/** Every version of a name, the newest first. */
export async function allVersions(db: Database, name: string): Promise<LatestVersion[]> {
  return await db.hot<LatestVersion[]>`
    select version, definition from action_do.action_definitions where name = ${name} order by version desc`
}

/** The definition of one version; `undefined` where there is none. */
export async function definitionOf(
  db: Database,
  name: string,
  version: number,
): Promise<OutsideDefinition | undefined> {
  const [row] = await db.hot<LatestVersion[]>`
    select version, definition from action_do.action_definitions where name = ${name} and version = ${version}`
  return row?.definition ?? undefined
}

/** A version that is to be stored. */
export interface NewVersion {
  readonly name: string
  readonly version: number
  readonly definition: OutsideDefinition
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

/** The newest version of each action that a live remote worker has. */
function versionsAlive(db: Database) {
  return db.hot`
    select a.key as name, max(a.value::int) as version
    from action_do.workers w cross join lateral json_each_text(w.actions) a
    where w.actions is not null
      and w.lease_expires_at > now() + make_interval(secs => ${db.clock.offsetMs / 1000}::float8)
    group by a.key`
}

/**
 * Changes with whatever `storedActions` would answer differently: both tables only ever grow, or lose what has no version; workers come
 * and go.
 */
export async function actionsFingerprint(db: Database): Promise<string> {
  const [row] = await db.hot<{ fingerprint: string }[]>`
    select concat_ws('/',
      (select string_agg(l.name || l.version, ',' order by l.name) from (${versionsAlive(db)}) l),
      (select count(*) from action_do.action_definitions),
      (select count(*) from action_do.action_secrets),
      (select count(*) from action_do.action_secrets
        where expires_at > now() + make_interval(secs => ${db.clock.offsetMs / 1000}::float8))) as fingerprint`
  return row?.fingerprint ?? ''
}

/**
 * The actions that are registered, by name: the newest version of each; of one that workers execute, the newest that a live worker has,
 * where one lives.
 */
export async function storedActions(db: Database): Promise<StoredAction[]> {
  return await db.reads<StoredAction[]>`
    select current.name, current.version, current.definition,
      (select coalesce(json_agg(s.secret order by s.created_at desc, s.id desc), '[]')
        from action_do.action_secrets s
        where s.name = current.name and (s.expires_at is null
          or s.expires_at > now() + make_interval(secs => ${db.clock.offsetMs / 1000}::float8))) as secrets
    from (select distinct on (name) name, version, definition
      from action_do.action_definitions order by name, version desc) latest
    left join (${versionsAlive(db)}) alive on alive.name = latest.name and latest.definition ->> 'kind' = 'worker'
    join action_do.action_definitions current
      on current.name = latest.name and current.version = coalesce(alive.version, latest.version)
    where latest.definition is not null
    order by current.name`
}
