import { randomBytes } from 'node:crypto'
import type { JsonObject } from '../core/definition/members.ts'
import { fingerprint } from '../core/idempotency.ts'
import { type NamedDefinition, readWorkerActions } from '../core/remote-worker/definition.ts'
import { chooseVersion } from '../core/remote-worker/versions.ts'
import { InvalidInputError } from '../core/request-errors.ts'
import { allVersions, storeVersion } from '../db/action-definitions.ts'
import type { Database } from '../db/client.ts'
import { type RemoteWorker, registerRemoteWorker } from '../db/remote-workers.ts'
import type { Registry } from '../executor/registry.ts'
import type { KnownWorkers } from './known-workers.ts'

interface RegisterParts {
  readonly db: Database
  readonly registry: Registry
  readonly workers: KnownWorkers
  readonly leaseMs: number
}

export interface Registration {
  /** For people; part of the worker's id. */
  readonly name: string
  readonly actions: readonly JsonObject[]
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

const MAX_ACTIONS = 200

/**
 * Registers a remote worker with the actions that it executes: each is stored in a version of its own, unless it is known.
 * @throws InvalidDefinitionError that names each mistake, InvalidInputError where a name is taken.
 */
export async function register(
  parts: RegisterParts,
  { name, actions: given }: Registration,
  actor: string,
): Promise<RemoteWorker> {
  if (!NAME.test(name))
    throw new InvalidInputError(
      'name',
      'must be 1 to 63 letters, digits, ".", "_" and "-", and begin with none of the last three',
    )
  if (given.length > MAX_ACTIONS)
    throw new InvalidInputError('actions', `are ${given.length}; a worker may have ${MAX_ACTIONS}`)
  const actions: Record<string, number> = {}
  for (const each of readWorkerActions(given)) actions[each.name] = await versionOf(parts, each, actor)
  const id = `${name}:${randomBytes(8).toString('hex')}`
  const worker = await registerRemoteWorker(parts.db, { id, name, actions }, parts.leaseMs)
  parts.workers.remember(worker)
  return worker
}

/** The version that the action has, stored where it is a new one. */
async function versionOf(parts: RegisterParts, { name, definition }: NamedDefinition, actor: string): Promise<number> {
  const { db, registry, workers } = parts
  if (registry.isOfCode(name)) throw taken(name, 'which the code of the server defines')
  const own = fingerprint(definition)
  for (;;) {
    const versions = await allVersions(db, name)
    const newest = versions[0]?.definition
    if (newest && !('kind' in newest)) throw taken(name, 'which is registered for a service; removeAction frees it')
    const live = (await workers.live.get()).map(({ actions }) => actions[name] ?? 0)
    const known = versions.map(({ version, definition: each }) => ({
      version,
      // what was removed is registered anew
      same: newest !== null && each !== null && fingerprint(each).equals(own),
    }))
    const { version, store } = chooseVersion(known, Math.max(0, ...live))
    if (!store || (await storeVersion(db, { name, version, definition, actor }))) return version
  }
}

function taken(name: string, why: string): InvalidInputError {
  return new InvalidInputError('actions', `have ${JSON.stringify(name)}, ${why}`)
}
