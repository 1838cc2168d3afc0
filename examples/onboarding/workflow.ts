import { workflow } from 'action.do'
import { z } from 'zod'
import type { onboardingActions } from './actions.ts'

const PRICE_CENTS = { starter: 900, team: 4_900 }

/**
 * A user, then side by side what the user gets and pays, then the welcome. The payment has a business key: whatever else
 * comes to execute it, a user gets one first bill. Give it the actions that are served, so that both are the same ones.
 */
export const onboardUser = ([createUser, provisionResources, processPayment, sendWelcomeEmail]: ReturnType<
  typeof onboardingActions
>) =>
  workflow('onboard-user', {
    description: 'Gives a new user an account, resources, a first bill and a welcome mail.',
    params: z.object({
      email: z.email(),
      name: z.string().min(1).max(200).optional(),
      plan: z.enum(['starter', 'team']).default('starter'),
    }),
  })
    .step('user', createUser, ({ params: { email, name } }) => ({ email, name }))
    .step('resources', provisionResources, ({ user, params }) => ({ userId: user.id, plan: params.plan }), {
      after: ['user'],
    })
    .step(
      'payment',
      processPayment,
      ({ user, params }) => ({ customerId: user.id, amountCents: PRICE_CENTS[params.plan] }),
      { after: ['user'], idempotencyKey: ({ user }) => `first-bill-${user.id}` },
    )
    .step('welcome', sendWelcomeEmail, ({ user }) => ({ userId: user.id, to: user.email, template: 'new-user' }), {
      after: ['resources', 'payment'],
    })
    .result(({ user, resources, payment }) => ({
      userId: user.id,
      workspaceId: resources.workspaceId,
      chargeId: payment.chargeId,
    }))
