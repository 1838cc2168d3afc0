import { join } from 'node:path'
import { ConfigurationError, serve } from 'action.do'
import { onboardingActions } from './actions.ts'
import { filesIn, startServices } from './services.ts'
import { migrate } from './tables.ts'
import { onboardUser } from './workflow.ts'

// PAYMENT_URL and SMTP_PORT name services in a process of their own (services-main.ts): one or both are not started here
const { PAYMENT_URL, SMTP_PORT, DO_DATA_DIR = '.action.do' } = process.env

const services = await startServices({
  ...filesIn(join(DO_DATA_DIR, 'onboarding')),
  elsewhere: { paymentUrl: PAYMENT_URL, smtpPort: SMTP_PORT ? Number(SMTP_PORT) : undefined },
})

const actions = onboardingActions(services)
const server = await serve({ actions, workflows: [onboardUser(actions)], migrate }).catch((error) => {
  if (!(error instanceof ConfigurationError)) throw error
  console.error(error.message)
  process.exit(1)
})

console.log(`payment service  ${services.paymentUrl}`)
console.log(`mail server      smtp://127.0.0.1:${services.smtpPort}`)

await server.stopped
await services.stop()
