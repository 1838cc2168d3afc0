import { join } from 'node:path'
import { serve } from 'action.do'
import { onboardingActions } from './actions.ts'
import { filesIn, startServices } from './services.ts'
import { migrate } from './tables.ts'

// PAYMENT_URL and SMTP_PORT name services that run already (services-main.ts), for servers that share no data directory
const { PAYMENT_URL, SMTP_PORT, DO_DATA_DIR = '.action.do' } = process.env

const services =
  PAYMENT_URL && SMTP_PORT
    ? { paymentUrl: PAYMENT_URL, smtpPort: Number(SMTP_PORT), stop: async () => {} }
    : await startServices(filesIn(join(DO_DATA_DIR, 'onboarding')))

const server = await serve({ actions: onboardingActions(services), migrate })

console.log(`payment service  ${services.paymentUrl}`)
console.log(`mail server      smtp://127.0.0.1:${services.smtpPort}`)

await server.stopped
await services.stop()
