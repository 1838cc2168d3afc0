import { logicOf } from '../../core/definition/logic.ts'
import { type CompiledGraph, compileGraph } from '../../core/workflow/graph.ts'
import type { GraphLogic } from '../../core/workflow/logic.ts'
import type { Database } from '../../db/client.ts'
import {
  definedNames,
  definitionByName,
  graphByHash,
  listDefinitions,
  type StoredDefinition,
  saveGraphs,
} from '../../db/graphs.ts'
import type { Registry } from '../registry.ts'

const MAX_CACHED = 1_000

/** How long a name may go on meaning the graph that it meant: a new definition counts everywhere within this time. */
const NAME_TTL_MS = 1_000

/** The graphs that this node knows: those of its code, and those of the database, which never change. */
export class Graphs {
  private readonly byHash = new Map<string, Promise<CompiledGraph>>()
  private readonly logics = new Map<string, GraphLogic>()
  private readonly byName = new Map<string, { atMs: number; graph: Promise<CompiledGraph | undefined> }>()
  private readonly db: Database
  private readonly registry: Registry

  constructor(db: Database, registry: Registry) {
    this.db = db
    this.registry = registry
  }

  /** Keeps the graphs of the code, for nodes that will not have it. */
  async save(): Promise<void> {
    await saveGraphs(
      this.db,
      this.registry.graphs().map(({ hash, graph }) => ({ hash, name: graph.name, graph })),
    )
  }

  /** A graph by its hash. Rejects where it was never kept. */
  compiled(hash: string): Promise<CompiledGraph> {
    const own = this.registry.graph(hash)
    if (own) return Promise.resolve(own)
    const known = this.byHash.get(hash)
    if (known) return known
    return this.remember(hash, this.read(hash))
  }

  private async read(hash: string): Promise<CompiledGraph> {
    const graph = await graphByHash(this.db, hash)
    if (!graph) throw new Error(`the database has no graph ${hash}`)
    return compileGraph(graph)
  }

  private remember(hash: string, compiled: Promise<CompiledGraph>): Promise<CompiledGraph> {
    if (this.byHash.size >= MAX_CACHED) this.byHash.clear()
    this.byHash.set(hash, compiled)
    compiled.catch(() => this.byHash.delete(hash))
    return compiled
  }

  /** Keeps a graph that was given as data. */
  async add(compiled: CompiledGraph): Promise<void> {
    if (this.byHash.has(compiled.hash)) return
    await saveGraphs(this.db, [{ hash: compiled.hash, name: compiled.graph.name, graph: compiled.graph }])
    this.remember(compiled.hash, Promise.resolve(compiled))
  }

  logic(compiled: CompiledGraph): GraphLogic | undefined {
    if (compiled.graph.definition === undefined) return this.registry.logic(compiled.hash)
    const known = this.logics.get(compiled.hash)
    if (known) return known
    if (this.logics.size >= MAX_CACHED) this.logics.clear()
    const logic = logicOf(compiled.graph)
    this.logics.set(compiled.hash, logic)
    return logic
  }

  /** What a workflow's name means now: the code goes before what was defined as data. */
  current(name: string): Promise<CompiledGraph | undefined> {
    const own = this.registry.workflow(name)
    if (own) return Promise.resolve(own.compiled)
    const known = this.byName.get(name)
    if (known && performance.now() - known.atMs < NAME_TTL_MS) return known.graph
    const graph = definitionByName(this.db, name).then((found) => found && this.compile(found))
    if (this.byName.size >= MAX_CACHED) this.byName.clear()
    this.byName.set(name, { atMs: performance.now(), graph })
    graph.catch(() => this.byName.delete(name))
    return graph
  }

  /** A name means another graph from now on. */
  forget(name: string): void {
    this.byName.delete(name)
  }

  /** Those of the names by which no workflow can be started. */
  async unknown(names: readonly string[]): Promise<Set<string>> {
    const foreign = names.filter((name) => !this.registry.workflow(name))
    const stored = new Set(await definedNames(this.db, foreign))
    return new Set(foreign.filter((name) => !stored.has(name)))
  }

  /** The workflows that can be started by their names, in alphabetical order: of those defined as data the first thousand. */
  async list(): Promise<CompiledGraph[]> {
    const own = this.registry.workflows().map(({ compiled }) => compiled)
    const names = new Set(own.map(({ graph }) => graph.name))
    const stored = (await listDefinitions(this.db)).filter(({ name }) => !names.has(name))
    const all = [...own, ...(await Promise.all(stored.map((found) => this.compile(found))))]
    return all.sort((a, b) => (a.graph.name < b.graph.name ? -1 : 1))
  }

  private compile({ hash, graph }: StoredDefinition): Promise<CompiledGraph> {
    return (
      this.byHash.get(hash) ??
      this.remember(
        hash,
        Promise.resolve().then(() => compileGraph(graph)),
      )
    )
  }
}
