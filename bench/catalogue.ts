/** Who is measured. What needs a package of `bench/` is a peer; the rest runs from this checkout alone. */
export interface Entry {
  readonly name: string
  readonly label: string
  /** The file in `contenders/`. */
  readonly file: string
  /** The package that it is about, with its version in `bench/package.json`. */
  readonly package?: string
  /** It needs a newer Node than the product does, and gets the one of the registry. */
  readonly newerNode?: boolean
  /** Its writes are in the cluster, so that its transactions and WAL can be counted there. */
  readonly onPostgres: boolean
}

export const CATALOGUE: readonly Entry[] = [
  { name: 'product', label: 'action.do', file: 'product.ts', onPostgres: true },
  { name: 'bare', label: 'bare pair of commits', file: 'bare-pair.ts', onPostgres: true },
  { name: 'batched', label: 'batched pair of commits', file: 'batched-pair.ts', onPostgres: true },
  { name: 'dbos', label: 'DBOS', file: 'dbos.ts', package: '@dbos-inc/dbos-sdk', onPostgres: true },
  {
    name: 'restate',
    label: 'Restate',
    file: 'restate.ts',
    package: '@restatedev/restate-server',
    newerNode: true,
    onPostgres: false,
  },
  { name: 'pg-boss', label: 'pg-boss', file: 'pg-boss.ts', package: 'pg-boss', newerNode: true, onPostgres: true },
  {
    name: 'graphile-worker',
    label: 'graphile-worker',
    file: 'graphile-worker.ts',
    package: 'graphile-worker',
    newerNode: true,
    onPostgres: true,
  },
]

/** Who belongs here and cannot be measured, and why. */
export const LEFT_OUT: readonly { readonly label: string; readonly reason: string }[] = [
  {
    label: 'Absurd',
    reason:
      'the schema that it runs on is in none of its npm packages: it is installed by `absurdctl`, a Python program from another registry',
  },
]

export function entry(name: string): Entry {
  const found = CATALOGUE.find((one) => one.name === name)
  if (!found) throw new Error(`no contender is called ${name}`)
  return found
}
