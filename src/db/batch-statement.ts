import { type Statement, statementOf } from './statement.ts'

/** What a column of a batch may hold; JSON goes as text, for SQL to cast. */
type Cell = string | number | boolean | Date | null | undefined

/** A column's type in Postgres, and what an item has in it where that is not the member of the column's name. */
export type Column<Item> = string | readonly [type: string, of: (item: Item) => Cell]

/** The columns of a batch, by the names that SQL and TypeScript share. */
export type Columns<Item> = Readonly<Record<string, Column<Item>>>

/**
 * A statement over many rows, of one kind or several. Each column of a batch is one array: Postgres reads arrays in half the time
 * of JSON, and a batch of any size is the same prepared plan. The arrays are unnested in the select list: in the from clause each of
 * them would fill a tuple store of its own, which took half of the time of a statement for one row.
 * @param text SQL in which `:name(alias)` stands, once, for each batch: rows of `alias`, its columns by their names.
 */
export function batchStatement<Input extends { readonly [Name in keyof Input]: readonly object[] }, Row extends object>(
  text: string,
  batches: {
    readonly [Name in keyof Input & string]: Input[Name] extends readonly (infer Item)[] ? Columns<Item> : never
  },
): Statement<Input, Row> {
  const names = Object.keys(batches) as (keyof Input & string)[]
  const pieces = text.split(new RegExp(`(?<!:):(${names.join('|')})\\((\\w+)\\)`))
  const named = pieces.filter((_, i) => i % 3 === 1) as (keyof Input & string)[]
  if (named.length !== names.length || new Set(named).size !== names.length)
    throw new Error(`the statement must name each of ${names.join(', ')} exactly once`)
  const parts = [pieces[0] ?? '']
  const sent: [name: keyof Input & string, of: (item: object) => Cell][] = []
  named.forEach((name, i) => {
    const columns = Object.entries(batches[name]).map(([member, column]) => columnOf(member, column))
    parts[parts.length - 1] += '(select unnest('
    for (const [k, { member, type, of }] of columns.entries()) {
      parts.push(`::${type}[]) as "${member}"${k < columns.length - 1 ? ', unnest(' : ''}`)
      sent.push([name, of])
    }
    parts[parts.length - 1] += `) as ${pieces[i * 3 + 2]}${pieces[i * 3 + 3]}`
  })
  return statementOf(parts, (input) => sent.map(([name, of]) => arrayText(input[name], of)))
}

/** A column, with what an item has in it. */
export function columnOf<Item extends object>(member: string, column: Column<Item>) {
  const [type, of] =
    typeof column === 'string' ? [column, (item: object) => (item as Record<string, Cell>)[member]] : column
  return { member, type, of: of as (item: object) => Cell }
}

/**
 * The text of a Postgres array: what the items have in one column; null where none has anything. Unnested in a select list, beside
 * others, that gives nulls.
 */
function arrayText(items: readonly object[], of: (item: object) => Cell): string | null {
  let text = ''
  // those before the first that has something: most columns have nothing, and then no text is made
  let nulls = 0
  let last: Cell
  let lastText: string | number | boolean = ''
  for (const item of items) {
    const cell = of(item)
    if (cell === null || cell === undefined) {
      if (text === '') nulls++
      else text += ',NULL'
      continue
    }
    // what is the same in all rows, the worker's id say, is put in quotes once
    if (cell !== last) lastText = cellText(cell)
    last = cell
    text += text === '' ? `{${'NULL,'.repeat(nulls)}` : ','
    text += lastText
  }
  return text === '' ? null : `${text}}`
}

const TO_ESCAPE = /["\\]/g

function cellText(cell: string | number | boolean | Date): string | number | boolean {
  if (typeof cell === 'string') {
    // nearly no text has one, and the look is cheaper than the replacement
    const escaped = cell.includes('"') || cell.includes('\\') ? cell.replace(TO_ESCAPE, '\\$&') : cell
    return `"${escaped}"`
  }
  return cell instanceof Date ? `"${cell.toISOString()}"` : cell
}

/** A value as JSON text, where there is one; SQL's NULL where there is none. */
export function jsonText(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value)
}
