import { NonRetryableError } from 'action.do'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sendWelcomeEmail } from '../actions/send-welcome-email.ts'
import { startMailServer } from '../mail-server.ts'
import { runAction } from './run-action.ts'

const params = { userId: 'usr_12345', template: 'new-user-welcome-v2' }

let server: Awaited<ReturnType<typeof startMailServer>>
let welcome: ReturnType<typeof sendWelcomeEmail>

beforeEach(async () => {
  server = await startMailServer()
  welcome = sendWelcomeEmail({ smtpPort: server.port })
})

afterEach(() => server.stop())

test('a mail goes to the address given, or to one derived from the user', async () => {
  const { messageId } = await runAction(welcome, { ...params, to: 'ada@example.test' })
  await runAction(welcome, params)
  expect(server.inbox('ada@example.test')).toMatchObject([{ messageId, subject: 'Welcome!' }])
  expect(server.inbox('usr_12345@example.test')[0]?.text).toContain('new-user-welcome-v2')
})

test('attempts of one intent send one Message-ID, other intents others', async () => {
  const first = await runAction(welcome, params, { idempotencyKey: 'a' })
  const again = await runAction(welcome, params, { idempotencyKey: 'a', attempt: 2 })
  const other = await runAction(welcome, params, { idempotencyKey: 'b' })
  expect(again).toEqual(first)
  expect(other).not.toEqual(first)
  expect(server.mails()).toHaveLength(3)
  expect(server.inbox('usr_12345@example.test')).toHaveLength(2)
})

test('a mail server that is away is an ordinary failure, and a later attempt succeeds', async () => {
  await server.stop()
  const failed = runAction(welcome, params)
  await expect(failed).rejects.toThrow('ECONNREFUSED')
  await expect(failed).rejects.not.toBeInstanceOf(NonRetryableError)
  server = await startMailServer({ port: server.port })
  await runAction(welcome, params, { attempt: 2 })
  expect(server.mails()).toHaveLength(1)
})

test('an address that the mail server refuses is final', async () => {
  await expect(runAction(welcome, { ...params, userId: 'a b@c' })).rejects.toMatchObject({ code: 'MAIL_REFUSED' })
})
