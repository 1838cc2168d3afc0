import type { Sql } from 'postgres'

/** What executes single statements. */
export type StatementClient = Pick<Sql, 'unsafe'>

/**
 * Executes a statement over the first of these connections that has nothing to do, else over the others. postgres.js gives its
 * connections work in turn, so that a lone caller would find another backend for each statement, whose caches have cooled: a step
 * of a workflow took a sixth longer. A connection that never answers is passed over.
 */
export function preferring(warm: readonly StatementClient[], others: StatementClient): StatementClient {
  const busy = new Set<StatementClient>()
  const unsafe: StatementClient['unsafe'] = (text, parameters, options) => {
    const idle = warm.find((client) => !busy.has(client))
    if (!idle) return others.unsafe(text, parameters, options)
    busy.add(idle)
    const statement = idle.unsafe(text, parameters, options)
    const done = () => void busy.delete(idle)
    statement.then(done, done)
    return statement as never
  }
  return { unsafe }
}
