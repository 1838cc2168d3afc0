import { randomUUID } from 'node:crypto'
import { action, NonRetryableError } from 'action.do'
import { z } from 'zod'
import { users } from '../tables.ts'

/**
 * Transactional: the row and the record that the run succeeded commit together, or neither does. So it happens exactly
 * once, and the id may be random.
 */
export const createUser = action('create-user', {
  description: 'Creates a user in our own database.',
  params: z.object({ email: z.email(), name: z.string().min(1).max(200).optional() }),
  result: z.object({ id: z.string(), email: z.string() }),
  effect: 'transactional',
  run: async ({ params, tx }) => {
    const [user] = await tx
      .insert(users)
      .values({ id: `usr_${randomUUID()}`, ...params })
      .onConflictDoNothing()
      .returning({ id: users.id, email: users.email })
    if (!user) throw new NonRetryableError(`${params.email} has an account already`, { code: 'EMAIL_TAKEN' })
    return user
  },
})
