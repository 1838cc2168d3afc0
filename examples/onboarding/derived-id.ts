import { createHash } from 'node:crypto'

/** The same id whenever the same key comes back: what an attempt made, the next one finds again. */
export function derivedId(purpose: string, idempotencyKey: string): string {
  return createHash('sha256').update(`${purpose}\n${idempotencyKey}`).digest('hex').slice(0, 24)
}
