import { createUser } from './actions/create-user.ts'
import { processPayment } from './actions/process-payment.ts'
import { provisionResources } from './actions/provision-resources.ts'
import { sendWelcomeEmail } from './actions/send-welcome-email.ts'

interface OnboardingOptions {
  paymentUrl: string
  smtpPort: number
  /** Milliseconds that `provision-resources` spends on each resource. */
  stepMs?: number
}

/** The actions of the example, in the order in which an onboarding needs them. */
export const onboardingActions = ({ paymentUrl, smtpPort, stepMs }: OnboardingOptions) =>
  [createUser, provisionResources({ stepMs }), processPayment({ paymentUrl }), sendWelcomeEmail({ smtpPort })] as const
