import type { Graph } from '../core/workflow/graph.ts'
import type { Database } from './client.ts'
import { type JsonStatement, jsonStatement } from './statement.ts'

const save: JsonStatement<{ hash: string }> = jsonStatement(`
insert into action_do.graphs (hash, name, graph, created_at)
select i.hash, i.name, i.graph, now() from json_to_recordset(:input) as i(hash text, name text, graph json)
on conflict (hash) do nothing
returning hash`)

/** Keeps graphs under the hashes of their content, for the runs that will run them. */
export async function saveGraphs(
  db: Database,
  graphs: readonly { hash: string; name: string; graph: Graph }[],
): Promise<void> {
  if (graphs.length > 0) await save.run(db.hot, graphs)
}

/** Like `definitionByName` asked for while a transaction is open: so never over a connection that transactions take. */
export async function graphByHash(db: Database, hash: string): Promise<Graph | undefined> {
  const [row] = await db.reads<{ graph: Graph }[]>`select graph from action_do.graphs where hash = ${hash}`
  return row?.graph
}

/** A workflow that was defined as data. */
export interface StoredDefinition {
  readonly name: string
  readonly hash: string
  readonly graph: Graph
}

/** Makes a name mean a graph from now on; runs under way keep theirs. */
export async function saveDefinition(db: Database, name: string, hash: string, actor: string): Promise<void> {
  await db.hot`
    insert into action_do.workflow_definitions (name, graph, defined_at, actor) values (${name}, ${hash}, now(), ${actor})
    on conflict (name) do update set graph = excluded.graph, defined_at = excluded.defined_at, actor = excluded.actor`
}

export async function definitionByName(db: Database, name: string): Promise<StoredDefinition | undefined> {
  const [row] = await db.reads<StoredDefinition[]>`
    select d.name, g.hash, g.graph from action_do.workflow_definitions d join action_do.graphs g on g.hash = d.graph
    where d.name = ${name}`
  return row
}

const defined = jsonStatement<{ name: string }>(`
select d.name from json_array_elements_text(:input) as i(name) join action_do.workflow_definitions d on d.name = i.name`)

/** Those of the names that workflows defined as data have. */
export async function definedNames(db: Database, names: readonly string[]): Promise<string[]> {
  return names.length === 0 ? [] : (await defined.run(db.hot, names)).map(({ name }) => name)
}

/** So many workflows that were defined as data are listed. */
const MAX_LISTED = 1_000

/** The workflows that were defined as data, by name: the first `MAX_LISTED`. */
export async function listDefinitions(db: Database): Promise<StoredDefinition[]> {
  return await db.hot<StoredDefinition[]>`
    select d.name, g.hash, g.graph from action_do.workflow_definitions d join action_do.graphs g on g.hash = d.graph
    order by d.name limit ${MAX_LISTED}`
}
