import type { StandardSchemaV1 } from '@standard-schema/spec'

/** A Standard Schema that no library made: takes a number or its digits, gives a number. Answers late where told to. */
function schema(late: boolean): StandardSchemaV1<number | string, number> {
  const validate = (value: unknown): StandardSchemaV1.Result<number> => {
    const n = Number(value)
    if (typeof value !== 'object' && !Number.isNaN(n)) return { value: n }
    return {
      issues: [{ message: 'is no number', path: ['list', { key: 0 }, Symbol('odd')] }, { message: 'at the root' }],
    }
  }
  return {
    '~standard': {
      version: 1,
      vendor: 'by-hand',
      validate: late ? async (value) => validate(value) : validate,
    },
  }
}

export const numberSchema = schema(false)
export const lateNumberSchema = schema(true)
