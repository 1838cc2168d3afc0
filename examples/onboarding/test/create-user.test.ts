import { randomUUID } from 'node:crypto'
import { NonRetryableError } from 'action.do'
import { drizzle } from 'drizzle-orm/postgres-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { client } from '../../../src/db/client.ts'
import { testDatabase } from '../../../test/support/database.ts'
import { createUser } from '../actions/create-user.ts'
import { migrate, users } from '../tables.ts'
import { runAction } from './run-action.ts'

describe('create-user', async () => {
  const sql = client(await testDatabase(), {})
  const db = drizzle(sql)
  const create = (email: string, name?: string) =>
    db.transaction((tx) => runAction(createUser, { email, ...(name && { name }) }, { tx }))
  const address = () => `${randomUUID()}@example.test`

  beforeAll(async () => {
    await migrate(db)
    await migrate(db)
  })

  afterAll(() => sql.end())

  test('a user is written through the transaction of the attempt', async () => {
    const email = address()
    const { id } = await create(email, 'Ada')
    expect(await db.select().from(users)).toContainEqual(expect.objectContaining({ id, email, name: 'Ada' }))
  })

  test('nothing is left of an attempt that is rolled back', async () => {
    const email = address()
    const crash = db.transaction(async (tx) => {
      await runAction(createUser, { email }, { tx })
      throw new Error('crash')
    })
    await expect(crash).rejects.toThrow('crash')
    await expect(create(email)).resolves.toMatchObject({ email })
  })

  test('an address has one account, however it is written', async () => {
    const email = address()
    await create(email)
    const again = create(email.toUpperCase())
    await expect(again).rejects.toBeInstanceOf(NonRetryableError)
    await expect(again).rejects.toMatchObject({ code: 'EMAIL_TAKEN' })
  })

  test('of attempts that race for an address one wins', async () => {
    const email = address()
    const outcomes = await Promise.allSettled([create(email), create(email), create(email)])
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})
