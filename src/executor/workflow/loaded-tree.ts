import { stepRunId } from '../../core/ids.ts'
import type { RunStatus } from '../../core/status.ts'
import type { CompiledGraph, StepSpec } from '../../core/workflow/graph.ts'
import { readChildren, readTreeRows } from '../../db/tree/read-tree.ts'
import type { StatementRunner } from '../../db/tree/statement-runner.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'

/** Where graphs come from: the registry, or the table of those that were ever started. */
export interface GraphSource {
  compiled(hash: string): Promise<CompiledGraph>
}

/** What is at hand of a tree. */
export interface KnownRows {
  readonly rows: Map<string, TreeRow>
  readonly graphs: Map<string, CompiledGraph>
  /** The ids of steps, by what they are computed from: each is a SHA-256, and asked for several times. */
  readonly stepIds: Map<string, string>
}

/** What a node knows of a tree from before. */
export interface KnownTree extends KnownRows {
  /** The root as it is written, but for the number of its newest event. */
  readonly writtenRoot: TreeRow
}

const NONE: string[] = []

/** The rows and graphs of one tree that a transaction has at hand: read once, known from before, or begun by itself. */
export class LoadedTree implements KnownRows {
  readonly rows: Map<string, TreeRow>
  readonly graphs: Map<string, CompiledGraph>
  readonly stepIds: Map<string, string>
  /** Hashes of graphs that rows have, and that are not loaded yet. */
  private readonly wanted = new Set<string>()
  readonly run: StatementRunner
  private readonly source: GraphSource

  /** @param known is changed with the tree: it is the tree's from now on. */
  constructor(run: StatementRunner, source: GraphSource, known?: KnownRows) {
    this.run = run
    this.source = source
    this.rows = known?.rows ?? new Map()
    this.graphs = known?.graphs ?? new Map()
    this.stepIds = known?.stepIds ?? new Map()
  }

  /** Reads rows that are not there yet, with everything above them and their graphs. Unknown ids are left out. */
  async load(ids: Iterable<string>): Promise<void> {
    let missing = this.missing(ids)
    if (missing.length === 0) return
    while (missing.length > 0) {
      const rows = await readTreeRows(this.run, missing)
      this.admit(rows)
      missing = this.missing(rows.flatMap(({ parentId }) => parentId ?? []))
    }
    await this.loadGraphs()
  }

  /** Takes rows that were read in this transaction. */
  admit(rows: readonly TreeRow[]): void {
    for (const row of rows) {
      if (this.rows.has(row.id)) continue
      this.rows.set(row.id, row)
      for (const hash of [row.graph, row.parentGraph])
        if (hash !== null && !this.graphs.has(hash)) this.wanted.add(hash)
    }
  }

  /** Loads the graphs of the rows that were taken. */
  async loadGraphs(): Promise<void> {
    for (const hash of this.wanted) {
      this.wanted.delete(hash)
      this.graphs.set(hash, await this.source.compiled(hash))
    }
  }

  addGraph(compiled: CompiledGraph): void {
    this.graphs.set(compiled.hash, compiled)
  }

  private missing(ids: Iterable<string>): string[] {
    let missing: Set<string> | undefined
    for (const id of ids) {
      if (this.rows.has(id)) continue
      missing ??= new Set()
      missing.add(id)
    }
    return missing ? [...missing] : NONE
  }

  /** The id of a step of a workflow; with an index, of a run of a list or a loop. */
  stepId(parentId: string, key: string, index: number | null = null): string {
    const of = index === null ? `${parentId} ${key}` : `${parentId}[${index}] ${key}`
    const known = this.stepIds.get(of)
    if (known !== undefined) return known
    const id = stepRunId(parentId, key, index)
    this.stepIds.set(of, id)
    return id
  }

  find(id: string): TreeRow | undefined {
    return this.rows.get(id)
  }

  get(id: string): TreeRow {
    const row = this.rows.get(id)
    if (!row) throw new Error(`run ${id} is not loaded`)
    return row
  }

  /** The rows that are loaded; what was changed is among them. */
  all(): Iterable<TreeRow> {
    return this.rows.values()
  }

  /**
   * The runs directly below others that are in one of these states, as they stand now: what this transaction has made of a run
   * goes before what is written of it.
   */
  async childrenOf(parents: readonly TreeRow[], status: readonly RunStatus[]): Promise<TreeRow[]> {
    const ids = parents.map(({ id }) => id)
    this.admit(await readChildren(this.run, ids, status))
    await this.loadGraphs()
    const above = new Set(ids)
    return [...this.rows.values()].filter((row) => above.has(row.parentId ?? '') && status.includes(row.status))
  }

  parentOf(row: TreeRow): TreeRow | undefined {
    return row.parentId === null ? undefined : this.get(row.parentId)
  }

  /** The workflow that a step belongs to, past the group that it may be in. */
  workflowOf(row: TreeRow): TreeRow {
    const parent = this.parentOf(row)
    if (!parent) throw new Error(`run ${row.id} is no step`)
    return parent.kind === 'GROUP' ? this.workflowOf(parent) : parent
  }

  graphOf(workflow: TreeRow): CompiledGraph {
    return this.graphNamed(workflow.graph)
  }

  /** What the graph says of a step; those of a group share the group's. */
  specOf(row: TreeRow): StepSpec {
    return this.specNamed(row.parentGraph, row.stepKey)
  }

  specNamed(graph: string | null, key: string | null): StepSpec {
    const spec = this.graphNamed(graph).steps.get(key ?? '')
    if (!spec) throw new Error(`the graph ${graph} has no step ${key}`)
    return spec
  }

  graphOfStep(row: TreeRow): CompiledGraph {
    return this.graphNamed(row.parentGraph)
  }

  private graphNamed(hash: string | null): CompiledGraph {
    const compiled = this.graphs.get(hash ?? '')
    if (!compiled) throw new Error(`graph ${hash} is not loaded`)
    return compiled
  }
}
