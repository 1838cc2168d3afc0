/**
 * The payment service and the mail server in a process of their own, so that they live on while servers come and go:
 *
 *   node --import tsx examples/onboarding/services-main.ts
 *
 * Environment, all optional: STORE_FILE and MAILS_FILE keep what came in, PAYMENT_PORT and SMTP_PORT fix the ports.
 */
import { startServices } from './services.ts'

const { STORE_FILE, MAILS_FILE, PAYMENT_PORT = '0', SMTP_PORT = '0' } = process.env

const { paymentUrl, smtpPort } = await startServices({
  storeFile: STORE_FILE,
  mailsFile: MAILS_FILE,
  paymentPort: Number(PAYMENT_PORT),
  smtpPort: Number(SMTP_PORT),
})
console.log(JSON.stringify({ paymentUrl, smtpPort }))
