import type { StandardSchemaV1 } from '@standard-schema/spec'
import { jsonIssues } from '../core/json.ts'
import { MAX_DELAY_MS, type RetryOptions, retryPolicy } from '../core/retry.ts'
import type { StepList } from './workflow-step-list.ts'

/** setTimeout's own limit. */
const MAX_TIMEOUT_MS = 2_147_483_647

const MAX_STEPS = 10_000
const KEY = /^[A-Za-z_][A-Za-z0-9_-]*$/
const NAME = /^[a-z0-9][a-z0-9._-]*$/

/** No step is called so: what a scope has for itself, and what JavaScript asks of any object. */
export const RESERVED_KEYS = ['params', 'then', 'toJSON', '__proto__', 'constructor', 'prototype'] as const

/** The checks of a definition. Each throws a `TypeError` that begins with the label: which workflow, which step. */
export class Checks {
  constructor(readonly label: string) {}

  fail(problem: string): never {
    throw new TypeError(`${this.label}: ${problem}`)
  }

  name(name: unknown): void {
    if (typeof name !== 'string' || !NAME.test(name) || name.length > 100)
      this.fail('a name is 1 to 100 of a-z, 0-9, ".", "_" and "-", and starts with a letter or digit')
  }

  /** That a step may be declared under this key. */
  key(key: unknown, declared: StepList): void {
    if (typeof key !== 'string' || !KEY.test(key) || key.length > 100)
      this.fail('a key is 1 to 100 of A-Z, a-z, 0-9, "_" and "-", and starts with a letter or "_"')
    if (RESERVED_KEYS.some((reserved) => reserved === key)) this.fail(`no step can be called ${key}`)
    if (declared.has(key)) this.fail('it is declared already')
    if (declared.length >= MAX_STEPS) this.fail(`a workflow has at most ${MAX_STEPS} steps`)
  }

  /** That this is a list of steps that are declared, each once. */
  declared(member: string, keys: unknown, declared: StepList): void {
    if (!Array.isArray(keys)) this.fail(`${member} must be a list of keys`)
    for (const key of keys)
      if (!declared.has(key)) this.fail(`${member} names ${JSON.stringify(key)}, which is no step declared before`)
    if (new Set(keys).size < keys.length) this.fail(`${member} names a step twice`)
  }

  /** A whole number; absent is fine. */
  whole(member: string, value: unknown, min: number, max: number = Number.MAX_SAFE_INTEGER): void {
    if (value === undefined || (Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max)) return
    const most = max === Number.MAX_SAFE_INTEGER ? 'or more' : `to ${max}`
    this.fail(`${member} is ${String(value)}; it must be a whole number of ${min} ${most}`)
  }

  /** Milliseconds up to ten years; absent is fine. */
  duration(member: string, ms: unknown, min = 1): void {
    this.whole(member, ms, min, MAX_DELAY_MS)
  }

  /** Milliseconds that one attempt may take; absent is fine. */
  timeout(ms: unknown): void {
    this.whole('timeoutMs', ms, 1, MAX_TIMEOUT_MS)
  }

  oneOf(member: string, value: unknown, allowed: readonly unknown[]): void {
    if (value !== undefined && !allowed.includes(value))
      this.fail(`${member} is ${JSON.stringify(value)}; it must be one of ${allowed.join(', ')}`)
  }

  text(member: string, value: unknown): void {
    if (value !== undefined && typeof value !== 'string') this.fail(`${member} must be text`)
  }

  /** A signal's name; absent is fine. */
  signalName(name: unknown): void {
    if (name === undefined) return
    if (typeof name !== 'string' || name.length < 1 || name.length > 100)
      this.fail('signal must be text of 1 to 100 characters')
    this.json('signal', name)
  }

  function(member: string, value: unknown): void {
    if (typeof value !== 'function') this.fail(`${member} must be a function`)
  }

  optionalFunction(member: string, value: unknown): void {
    if (value !== undefined) this.function(member, value)
  }

  schema(member: string, schema: StandardSchemaV1 | undefined): void {
    if (schema !== undefined && typeof schema?.['~standard']?.validate !== 'function')
      this.fail(`${member} must be a Standard Schema (zod, valibot, arktype, …)`)
  }

  /** Throws a `RangeError`, as `action` does. Gives the options without what is undefined, for they become JSON. */
  retry(options: RetryOptions): RetryOptions {
    try {
      retryPolicy(options)
    } catch (error) {
      throw new RangeError(`${this.label}: ${(error as Error).message}`)
    }
    return this.json('retry', options) as RetryOptions
  }

  /** What JSON makes of a value. */
  json(member: string, value: unknown): unknown {
    let json: unknown
    try {
      json = JSON.parse(JSON.stringify(value) ?? 'null')
    } catch (error) {
      this.fail(`${member} is no JSON: ${(error as Error).message}`)
    }
    const [issue] = jsonIssues(json)
    if (issue) this.fail(`${[member, issue.path].filter(Boolean).join('.')} ${issue.message}`)
    return json
  }
}
