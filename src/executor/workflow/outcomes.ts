import { firstIssue } from '../../core/json.ts'
import { onErrorOf } from '../../core/workflow/graph.ts'
import type { Iteration, Scope } from '../../core/workflow/logic.ts'
import { type OutcomeRow, type ReadOutcome, readIterations, readOutcomes, readParams } from '../../db/tree/read-tree.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Host } from './host.ts'
import { LogicError } from './logic-error.ts'
import type { Tree } from './tree.ts'

/** Thrown out of a mapper that asked for a result which is not loaded: it is loaded, and the mapper is called again. */
class ResultNeeded extends Error {}

/** Which results a step's logic asked for last time, by graph and step: they are loaded together from then on. */
const asked = new Map<string, Set<string>>()
const MAX_REMEMBERED = 10_000

/** What the steps of a tree left, as mappers see it, read once in a transaction and only where it is asked for. */
export class Outcomes {
  private readonly loaded = new Map<string, unknown>()
  private readonly params = new Map<string, { readonly value: unknown }>()
  private readonly fresh: {
    readonly key: string
    readonly params: { readonly value: unknown }
    readonly size: number
  }[] = []
  private readonly tree: Tree
  private readonly host: Host

  constructor(tree: Tree, host: Host) {
    this.tree = tree
    this.host = host
  }

  /** Notes what a step has just left: `undefined` loads it anew. */
  forget(id: string): void {
    this.loaded.delete(id)
  }

  /** The params that a workflow was given, as its schema reads them. */
  async paramsOf(workflow: TreeRow): Promise<unknown> {
    // what runs again may have been given other params
    const key = `${workflow.id} ${workflow.generation}`
    const known = this.params.get(workflow.id) ?? this.host.params.get(key)
    if (known) return known.value
    const given = await this.givenTo(workflow)
    const logic = this.host.logic(this.tree.graphOf(workflow))
    const checked = await logic?.checkParams(given)
    if (checked && !checked.ok)
      throw new LogicError('INVALID_PARAMS', `The params do not fit the workflow: ${firstIssue(checked.issues)}`, {
        issues: checked.issues,
      })
    const params = { value: checked ? checked.value : given }
    this.params.set(workflow.id, params)
    if (logic) this.fresh.push({ key, params, size: JSON.stringify(given).length })
    return params.value
  }

  /**
   * Lets the node keep the params that were read: the commit stands. Before, they may be those of a start that is refused, or of a
   * transaction that is rolled back.
   */
  publish(): void {
    for (const { key, params, size } of this.fresh.splice(0)) this.host.params.set(key, params, size)
  }

  private async givenTo({ id, params }: TreeRow): Promise<unknown> {
    if (params !== undefined) return JSON.parse(params)
    return (await readParams(this.tree.run, [id]))[0]?.params ?? null
  }

  /**
   * Calls a mapper or a condition with the results that it asks for. It may be called several times, and must be pure.
   * Throws a `LogicError` for what it throws, and for an answer that is a promise.
   */
  async evaluate(workflow: TreeRow, step: string, what: string, call: (scope: Scope) => unknown): Promise<unknown> {
    const params = await this.paramsOf(workflow)
    const memory = remembered(`${workflow.graph} ${step} ${what}`)
    for (let missing = new Set(memory); ; ) {
      await this.load(workflow, missing)
      missing = new Set()
      const answer = this.attempt(workflow, params, missing, memory, call)
      if (missing.size > 0) continue
      if ('thrown' in answer) throw LogicError.of(`${what} of step ${JSON.stringify(step)}`, answer.thrown)
      return synchronous(`${what} of step ${JSON.stringify(step)}`, answer.value)
    }
  }

  private attempt(
    workflow: TreeRow,
    params: unknown,
    missing: Set<string>,
    memory: Set<string>,
    call: (scope: Scope) => unknown,
  ): { value: unknown } | { thrown: unknown } {
    const result = (key: string) => {
      memory.add(key)
      const id = this.tree.stepId(workflow.id, key)
      if (this.loaded.has(id)) return this.loaded.get(id)
      missing.add(key)
      throw new ResultNeeded(`the result of ${key} is being loaded`)
    }
    try {
      return { value: call({ params, result }) }
    } catch (thrown) {
      return { thrown }
    }
  }

  /** The result of a step, as a mapper sees it. */
  async outcome(workflow: TreeRow, key: string): Promise<unknown> {
    await this.load(workflow, [key])
    return this.loaded.get(this.tree.stepId(workflow.id, key))
  }

  /** What one run of a group left. */
  async ofRun(run: TreeRow): Promise<unknown> {
    const [read] = resultOf(run) === undefined ? await readOutcomes(this.tree.run, [run.id]) : []
    return asSeen(this.current(run.id, read), this.continues(run))
  }

  /** What the iterations of a group left that were completed, in their order. */
  async iterations(group: TreeRow): Promise<unknown[]> {
    const idOf = (_: unknown, index: number) => this.tree.stepId(group.id, group.stepKey ?? '', index)
    const ids = Array.from({ length: group.size ?? 0 }, idOf)
    const rows = ids.every((id) => this.knows(id)) ? [] : await readIterations(this.tree.run, [group.id])
    const byIndex = new Map(rows.map((row) => [row.stepIndex, row]))
    const continues = this.continues(group)
    const current = ids.map((id, index) => this.current(id, byIndex.get(index)))
    return current.filter((row) => row?.resolved === 'live').map((row) => asSeen(row, continues))
  }

  private async load(workflow: TreeRow, keys: Iterable<string>): Promise<void> {
    const ids = new Map([...keys].map((key) => [this.tree.stepId(workflow.id, key), key]))
    for (const id of [...ids.keys()]) if (this.loaded.has(id)) ids.delete(id)
    if (ids.size === 0) return
    const fromDatabase = [...ids.keys()].filter((id) => !this.knows(id))
    const rows = new Map((await this.read(fromDatabase)).map((row) => [row.id, row]))
    const { steps, graph } = this.tree.graphOf(workflow)
    for (const [id, key] of ids) {
      const row = this.current(id, rows.get(id))
      const spec = steps.get(key)
      if (row?.kind === 'GROUP') this.loaded.set(id, await this.ofGroup(id, row))
      else this.loaded.set(id, asSeen(row, spec !== undefined && onErrorOf(graph, spec) === 'continue'))
    }
  }

  private read(ids: string[]): Promise<ReadOutcome[]> {
    return ids.length === 0 ? Promise.resolve([]) : readOutcomes(this.tree.run, ids)
  }

  /** A list's results in order; a loop's last one. */
  private async ofGroup(id: string, row: OutcomeRow): Promise<unknown> {
    if (row.status === 'SKIPPED') return row.result ?? undefined
    const failed = row.status === 'FAILED' || row.status === 'COMPENSATED'
    // one that has enough has its results although it is not over
    if (failed || (row.status !== 'SUCCEEDED' && row.resolved !== 'live')) return asSeen(row, row.resolved === 'live')
    await this.tree.load([id])
    const group = this.tree.get(id)
    const results = await this.iterations(group)
    return this.tree.specOf(group).repeat ? results.at(-1) : results
  }

  private continues(row: TreeRow): boolean {
    return onErrorOf(this.tree.graphOfStep(row).graph, this.tree.specOf(row)) === 'continue'
  }

  /** Whether what a step left is at hand, result included. */
  private knows(id: string): boolean {
    const row = this.tree.find(id)
    return row !== undefined && (resultOf(row) !== undefined || row.status === 'PENDING')
  }

  /** What this transaction has made of a step goes before what the database has. */
  private current(id: string, read: OutcomeRow | undefined): OutcomeRow | undefined {
    const row = this.tree.find(id)
    if (!row) return read
    const text = resultOf(row)
    const result = text === undefined ? read?.result : text === null ? null : JSON.parse(text)
    return { kind: row.kind, status: row.status, resolved: row.resolved, error: row.error, result }
  }
}

/** The JSON text of what a row's run gave, as this transaction sees it; `undefined` where it is to be read. */
function resultOf({ result, writtenResult }: TreeRow): string | null | undefined {
  return result === undefined ? writtenResult : result
}

/** `undefined` for what was skipped, canceled or is not there; `{ result, error }` where errors are values. */
function asSeen(row: OutcomeRow | undefined, continues: boolean): unknown {
  if (!row) return undefined
  const { status, result, error, resolved } = row
  if (status === 'SUCCEEDED' || (status === 'SKIPPED' && resolved === 'live'))
    return continues ? { result, error: undefined } : result
  if ((status === 'FAILED' || status === 'COMPENSATED') && continues && error) {
    const { code, message, retryable, details } = error
    return { result: undefined, error: { code, message, retryable, ...(details !== undefined && { details }) } }
  }
  return undefined
}

/** What an iteration sees: its index, and the element or the result before. */
export function iterationOf(index: number, item: unknown): Iteration {
  return { index, item }
}

function remembered(key: string): Set<string> {
  const known = asked.get(key)
  if (known) return known
  if (asked.size >= MAX_REMEMBERED) asked.clear()
  const fresh = new Set<string>()
  asked.set(key, fresh)
  return fresh
}

function synchronous(what: string, value: unknown): unknown {
  if (!(value instanceof Promise) && typeof (value as PromiseLike<unknown> | null)?.then !== 'function') return value
  // nobody waits for it: that it fails must not end the process
  Promise.resolve(value).catch(() => {})
  throw new LogicError('MAPPING_FAILED', `The ${what} returned a promise; it must return the value itself`)
}
