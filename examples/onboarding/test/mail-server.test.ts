import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startMailServer } from '../mail-server.ts'

const MAIL = {
  messageId: '<1@example.test>',
  from: 'shop@example.test',
  to: 'ada@example.test',
  subject: 'Hello',
  text: 'First line\n\nlast line',
}

let directory: string
let mailsFile: string
let server: Awaited<ReturnType<typeof startMailServer>>

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'mails-'))
  mailsFile = join(directory, 'mails.jsonl')
  server = await startMailServer({ mailsFile })
})

afterEach(async () => {
  await server.stop()
  rmSync(directory, { recursive: true })
})

const send = (mail: Partial<typeof MAIL> = {}) =>
  createTransport({ host: '127.0.0.1', port: server.port }).sendMail({ ...MAIL, ...mail })

test('a mail is kept with its headers and text', async () => {
  await send()
  expect(server.mails()).toEqual([{ ...MAIL, to: [MAIL.to], receivedAt: expect.any(String) }])
})

test('a long subject, which goes over several lines, is read whole', async () => {
  const subject = 'word '.repeat(40).trim()
  await send({ subject })
  expect(server.mails()[0]?.subject).toBe(subject)
})

test('a repeated mail is received twice, and shown once to each of its readers', async () => {
  await send()
  await send()
  await send({ messageId: '<2@example.test>' })
  await send({ to: 'bob@example.test' })
  expect(server.mails()).toHaveLength(4)
  expect(server.inbox('ada@example.test').map(({ messageId }) => messageId)).toEqual([
    '<1@example.test>',
    '<2@example.test>',
  ])
  expect(server.inbox('bob@example.test')).toHaveLength(1)
})

test('it can be stopped and started again on its port, with the mails of before', async () => {
  await send()
  await server.stop()
  await expect(send()).rejects.toMatchObject({ code: 'ESOCKET' })
  server = await startMailServer({ port: server.port, mailsFile })
  await send({ messageId: '<2@example.test>' })
  expect(server.inbox(MAIL.to)).toHaveLength(2)
})
