import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, expect, test } from 'vitest'
import { processPayment } from '../actions/process-payment.ts'
import { sendWelcomeEmail } from '../actions/send-welcome-email.ts'
import { filesIn } from '../services.ts'
import { runAction } from './run-action.ts'

const directory = mkdtempSync(join(tmpdir(), 'services-'))
const { storeFile, mailsFile } = filesIn(directory)
let child: ChildProcess

afterEach(async () => {
  await kill()
  rmSync(directory, { recursive: true })
})

async function start(): Promise<{ paymentUrl: string; smtpPort: number }> {
  const main = new URL('../services-main.ts', import.meta.url).pathname
  const env = { ...process.env, STORE_FILE: storeFile, MAILS_FILE: mailsFile }
  const started = spawn(process.execPath, ['--import', 'tsx', main], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  child = started
  for await (const line of createInterface({ input: started.stdout })) return JSON.parse(line)
  throw new Error('the services ended without a word')
}

async function kill() {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

test('the services run in a process of their own, and what they accepted survives its crash', async () => {
  const before = await start()
  const pay = { customerId: 'usr_1', amountCents: 1200 }
  const charge = await runAction(processPayment(before), pay)
  await runAction(sendWelcomeEmail(before), { userId: 'usr_1', template: 'welcome' })
  await kill()
  const after = await start()
  expect(await runAction(processPayment(after), pay)).toEqual(charge)
  expect(await (await fetch(`${after.paymentUrl}/charges`)).json()).toMatchObject([{ chargeId: charge.chargeId }])
})
