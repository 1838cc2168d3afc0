import type { Budget } from './budget.ts'

/**
 * Makes plain JSON of what an expression gave: integers become numbers, moments become texts in ISO 8601. Pays for the
 * size, since one big value can stand in a list many times. Throws an `Error` whose message goes on after the expression.
 */
export function toPlain(value: unknown, budget: Budget): unknown {
  budget.give(1)
  switch (typeof value) {
    case 'string':
      budget.give(value.length)
      return value
    case 'boolean':
      return value
    case 'number':
      return toNumber(value)
    case 'bigint':
      return toInteger(value)
    default:
      return value === null ? null : toPlainObject(value, budget)
  }
}

function toPlainObject(value: unknown, budget: Budget): unknown {
  if (Array.isArray(value)) return value.map((each) => toPlain(each, budget))
  if (value instanceof Date) return toMoment(value)
  const prototype: unknown = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined
  if (prototype !== Object.prototype && prototype !== null) throw new Error('gives something that is no JSON value')
  return Object.fromEntries(
    Object.entries(value as object).map(([member, inner]) => {
      budget.give(member.length)
      return [member, toPlain(inner, budget)]
    }),
  )
}

function toNumber(value: number): number {
  if (!Number.isFinite(value)) throw new Error(`gives ${value}, which is no number of JSON`)
  // JSON has no negative zero
  return value === 0 ? 0 : value
}

function toInteger(value: bigint): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new Error('gives a whole number beyond 2^53, which JSON cannot hold exactly')
  return number
}

function toMoment(value: Date): string {
  if (Number.isNaN(value.getTime())) throw new Error('gives no valid moment')
  return value.toISOString()
}
