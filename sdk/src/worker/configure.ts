import type { CompensateContext, ProbeContext, ProbeVerdict, RetryOptions, RunContext } from './options.ts'
import { jsonSchemaOf, type Schema } from './schema.ts'

/** An action as the worker executes it. */
export interface ServedAction {
  readonly name: string
  readonly description: string | undefined
  readonly params: Schema | undefined
  readonly result: Schema | undefined
  readonly effect: 'idempotent' | 'unsafe'
  readonly retry: RetryOptions | undefined
  readonly timeoutMs: number | undefined
  readonly concurrency: number
  readonly run: (context: RunContext) => unknown
  readonly compensate: ((context: CompensateContext) => unknown) | undefined
  readonly probe: ((context: ProbeContext) => Promise<ProbeVerdict> | ProbeVerdict) | undefined
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,99}$/
/** setTimeout's own limit. */
const MAX_TIMEOUT_MS = 2_147_483_647
const EFFECTS: readonly unknown[] = ['idempotent', 'unsafe']

/** The actions, checked. Throws a `TypeError` or `RangeError` that names the action and the member that makes no sense. */
export function serveActions(actions: unknown): Map<string, ServedAction> {
  if (typeof actions !== 'object' || actions === null) throw new TypeError('Worker: actions must be an object')
  const entries = Object.entries(actions)
  if (entries.length === 0) throw new TypeError('Worker: actions is empty; a worker needs something to execute')
  return new Map(entries.map(([name, action]) => [name, serve(name, action)]))
}

function serve(name: string, options: unknown): ServedAction {
  const of = `Worker: action ${JSON.stringify(name)}`
  if (!NAME.test(name))
    throw new TypeError(`${of}: a name is 1 to 100 of a-z, 0-9, ".", "_" and "-", and starts with a letter or digit`)
  if (typeof options !== 'object' || options === null) throw new TypeError(`${of} must be an object with run`)
  const action = options as Partial<ServedAction>
  checkMembers(of, action)
  return {
    name,
    description: action.description,
    params: action.params,
    result: action.result,
    effect: action.effect ?? 'idempotent',
    retry: action.retry,
    timeoutMs: action.timeoutMs,
    concurrency: action.concurrency ?? Number.POSITIVE_INFINITY,
    // bound: they may be methods of an object of the user's own
    run: action.run!.bind(options),
    compensate: action.compensate?.bind(options),
    probe: action.probe?.bind(options),
  }
}

function checkMembers(of: string, action: Partial<ServedAction>): void {
  const { effect = 'idempotent', timeoutMs, concurrency } = action
  if (typeof action.run !== 'function') throw new TypeError(`${of}: run must be a function`)
  for (const member of ['compensate', 'probe'] as const)
    if (action[member] !== undefined && typeof action[member] !== 'function')
      throw new TypeError(`${of}: ${member} must be a function`)
  if (!EFFECTS.includes(effect)) throw new TypeError(`${of}: effect is ${show(effect)}; ${effectHint(effect)}`)
  if (action.probe && effect !== 'unsafe')
    throw new TypeError(`${of}: probe belongs to effect "unsafe" only; a lost outcome is repaired by running again`)
  for (const side of ['params', 'result'] as const)
    if (action[side] !== undefined && typeof action[side]?.['~standard']?.validate !== 'function')
      throw new TypeError(`${of}: ${side} must be a Standard Schema (zod, valibot, arktype, …)`)
  if (timeoutMs !== undefined) wholeNumber(`${of}: timeoutMs`, timeoutMs, 1, MAX_TIMEOUT_MS)
  if (concurrency !== undefined) wholeNumber(`${of}: concurrency`, concurrency, 1)
}

function effectHint(effect: unknown): string {
  return effect === 'transactional'
    ? 'such an action writes in the database of the runs, which only the server can'
    : 'it must be idempotent or unsafe'
}

/** Throws a `RangeError` that names what is out of its range. */
export function wholeNumber(name: string, value: number, min: number, max = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value
  const range = max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `of ${min} to ${max}`
  throw new RangeError(`${name} is ${show(value)}; it must be a whole number ${range}`)
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

/** What is registered: the server keeps all but the code. */
export function registrationInput(name: string, actions: Iterable<ServedAction>): object {
  return { name, actions: Array.from(actions, registered) }
}

function registered({ name, description, params, result, effect, retry, timeoutMs, probe, compensate }: ServedAction) {
  return {
    name,
    description,
    paramsSchema: jsonSchemaOf(params, 'input'),
    resultSchema: jsonSchemaOf(result, 'output'),
    effect,
    retry,
    timeoutMs,
    probe: probe !== undefined,
    compensate: compensate !== undefined,
  }
}
