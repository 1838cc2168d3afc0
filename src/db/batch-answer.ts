/**
 * What a statement answers for its batch, in one row: where each item came out as expected, only when. A row for each of them, with an
 * id that is known and a time that is the same, took Node a tenth of what an action costs.
 */
export interface BatchAnswer<Change> {
  /** When; null where nothing was changed. */
  readonly at: Date | null
  /** What was changed, one by one; null where that is all of them, each as expected. */
  readonly each: readonly (Change & { readonly id: string })[] | null
}

interface Answered {
  /** SQL of the rows that were changed, as `c`: with `id` and `at`. */
  readonly changed: string
  /** SQL for whether a `c` is not as expected. */
  readonly odd: string
  /** The column of `c` with what there is to tell of one. */
  readonly column: string
  /** Its name in the answer. */
  readonly member: string
}

/**
 * SQL that selects the `BatchAnswer`, in a statement whose `clock` says how many were `asked` for. The list is a query of its own: as an aggregate of
 * this one it would be made in vain.
 */
export function batchAnswer({ changed, odd, column, member }: Answered): string {
  return `select max(c.at) as at, case when count(*) < (select k.asked from clock k) or bool_or(${odd})
    then (select json_agg(json_build_object('id', e.id, '${member}', e.${column})) from ${changed} e) end as each
  from ${changed} c`
}

/** Of each item, in their order, what has become of it; `undefined` where it was not changed. */
export function answersOf<Item extends { readonly id: string }, Change extends object, Row>(
  items: readonly Item[],
  { at, each }: BatchAnswer<Change>,
  expected: (item: Item) => Change,
  row: (change: Change, item: Item, at: Date) => Row,
): (Row | undefined)[] {
  if (at === null) return items.map(() => undefined)
  if (each === null) return items.map((item) => row(expected(item), item, at))
  const byId = new Map(each.map((change) => [change.id, change]))
  return items.map((item) => {
    const change = byId.get(item.id)
    return change && row(change, item, at)
  })
}
