import { randomBytes } from 'node:crypto'
import type { JsonObject } from '../../core/definition/members.ts'
import { NAME } from '../../core/definition/step-kinds.ts'
import { type HttpDefinition, readHttpDefinition } from '../../core/http-action/definition.ts'
import { fingerprint } from '../../core/idempotency.ts'
import { withoutNulls } from '../../core/json.ts'
import { ActionNotFoundError, InvalidInputError } from '../../core/request-errors.ts'
import {
  type LatestVersion,
  latestVersion,
  rotateSecret,
  storeRegistration,
  storeRemoval,
  storeVersion,
} from '../../db/action-definitions.ts'
import type { Executor } from '../executor.ts'
import type { RegisteredAction } from '../registry.ts'
import { whileUnavailable } from '../submissions.ts'

/** A registered action with a secret that is shown this once. */
export interface Registration {
  readonly action: RegisteredAction
  readonly secret: string
}

/** More are refused: every node has all of them in memory. */
const MAX_REGISTERED = 1_000

/** What was given over, unless it says otherwise. */
const KEEP_SECRET_MS = 86_400_000
const MAX_KEEP_SECRET_MS = 30 * 86_400_000

/**
 * Registers an action that a service executes. Every node serves it within seconds. Throws an `InvalidDefinitionError` that names
 * each mistake, and an `InvalidInputError` where the name is taken.
 */
export async function registerAction(
  executor: Executor,
  name: string,
  given: JsonObject,
  actor: string,
): Promise<Registration> {
  if (!NAME.test(name) || name.length > 100)
    throw new InvalidInputError(
      'name',
      'must be 1 to 100 of a-z, 0-9, ".", "_" and "-", and start with a letter or digit',
    )
  const definition = readHttpDefinition(given)
  if (executor.registry.isOfCode(name)) throw taken(name, 'which an action of the code has already')
  if (executor.registry.all().length >= MAX_REGISTERED)
    throw new InvalidInputError('name', `would be the name of more than ${MAX_REGISTERED} actions`)
  const secret = newSecret()
  await store(executor, name, (latest) => {
    if (latest?.definition) throw taken(name, 'which is registered already; updateAction changes it')
    const version = (latest?.version ?? 0) + 1
    return storeRegistration(executor.db, { name, version, definition, actor }, secret)
  })
  return { action: registered(executor, name), secret }
}

/** Changes a registered action: what is not given stays as it is, null gives the default back. */
export async function updateAction(
  executor: Executor,
  name: string,
  changes: JsonObject,
  actor: string,
): Promise<RegisteredAction> {
  await store(executor, name, async (latest) => {
    const { version, definition: before } = existing(executor, name, latest)
    const definition = readHttpDefinition(withoutNulls({ ...before, ...changes }))
    // the same again is no new version
    if (fingerprint(definition).equals(fingerprint(before))) return true
    return await storeVersion(executor.db, { name, version: version + 1, definition, actor })
  })
  return registered(executor, name)
}

/** Removes a registered action. Its runs stay; those that have not ended wait until somebody has it again. */
export async function removeAction(executor: Executor, name: string, actor: string): Promise<void> {
  await store(executor, name, (latest) => {
    refuseIfOfCode(executor, name)
    if (!latest?.definition) throw new ActionNotFoundError(name, executor.registry.names())
    return storeRemoval(executor.db, name, latest.version + 1, actor)
  })
}

/**
 * Makes another secret for the calls of a registered action. Calls are signed with the one before as well, until it expires.
 * @param keepMs how long that is; a day when null.
 */
export async function rotateActionSecret(
  executor: Executor,
  name: string,
  keepMs: number | null,
): Promise<Registration> {
  const keep = keepMs ?? KEEP_SECRET_MS
  if (keep < 0 || keep > MAX_KEEP_SECRET_MS)
    throw new InvalidInputError('keepPreviousMs', `is ${keep}; it must be 0 to ${MAX_KEEP_SECRET_MS}`)
  const secret = newSecret()
  await store(executor, name, async (latest) => {
    existing(executor, name, latest)
    await rotateSecret(executor.db, name, secret, keep)
    return true
  })
  return { action: registered(executor, name), secret }
}

/** Looks at the newest version and stores what follows it, again where somebody else was faster. */
async function store(
  executor: Executor,
  name: string,
  attempt: (latest: LatestVersion | undefined) => Promise<boolean>,
): Promise<void> {
  await whileUnavailable(executor.options.unavailableMs, async () => {
    while (!(await attempt(await latestVersion(executor.db, name))));
  })
  await executor.registered.announce()
}

function existing(
  executor: Executor,
  name: string,
  latest: LatestVersion | undefined,
): { version: number; definition: HttpDefinition } {
  refuseIfOfCode(executor, name)
  if (!latest?.definition) throw new ActionNotFoundError(name, executor.registry.names())
  const { version, definition } = latest
  if ('kind' in definition)
    throw new InvalidInputError(
      'name',
      `is ${JSON.stringify(name)}, which its workers define; they register what changes`,
    )
  return { version, definition }
}

function refuseIfOfCode({ registry }: Executor, name: string): void {
  if (registry.isOfCode(name))
    throw new InvalidInputError('name', `is ${JSON.stringify(name)}, which the code defines, and only the code changes`)
}

/** The action as this node now has it; gone where somebody removed it in the same moment. */
function registered(executor: Executor, name: string): RegisteredAction {
  const action = executor.registry.get(name)
  if (!action) throw new ActionNotFoundError(name, executor.registry.names())
  return action
}

function taken(name: string, why: string): InvalidInputError {
  return new InvalidInputError('name', `is ${JSON.stringify(name)}, ${why}`)
}

function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}
