import { action, NonRetryableError } from 'action.do'
import { createTransport } from 'nodemailer'
import { z } from 'zod'
import { derivedId } from '../derived-id.ts'

/**
 * Idempotent as far as mail can be: a server accepts the same mail twice, but a repeated one has the same Message-ID,
 * and the reader's mail client shows it once.
 */
export const sendWelcomeEmail = ({ smtpPort }: { smtpPort: number }) => {
  // SMTP knows no abort signal: these limits end an attempt before its own timeout does
  const limits = { connectionTimeout: 3_000, greetingTimeout: 3_000, socketTimeout: 3_000 }
  const transport = createTransport({ host: '127.0.0.1', port: smtpPort, ...limits })

  return action('send-welcome-email', {
    description: 'Welcomes a new user by mail.',
    params: z.object({ userId: z.string().min(1), template: z.string().min(1), to: z.email().optional() }),
    result: z.object({ messageId: z.string() }),
    effect: 'idempotent',
    retry: { maxAttempts: 5, backoff: { initialMs: 500, factor: 2, maxMs: 60_000, jitter: true } },
    timeoutMs: 10_000,
    run: async ({ params, idempotencyKey, signal }) => {
      signal.throwIfAborted()
      const messageId = `<${derivedId('welcome', idempotencyKey)}@onboarding.example>`
      const mail = {
        messageId,
        from: 'welcome@onboarding.example',
        to: params.to ?? `${params.userId}@example.test`,
        subject: 'Welcome!',
        text: `Your account ${params.userId} is ready.\n\n(${params.template})`,
      }
      await transport.sendMail(mail).catch(rethrow)
      return { messageId }
    },
  })
}

/** 5xx is SMTP's "never"; a refused connection or a 4xx goes on as it is, and is retried. */
function rethrow(error: unknown): never {
  const { responseCode = 0 } = error as { responseCode?: number }
  if (responseCode < 500) throw error
  throw new NonRetryableError(`the mail server answered ${responseCode}`, { code: 'MAIL_REFUSED', cause: error })
}
