import { join } from 'node:path'
import { startMailServer } from './mail-server.ts'
import { startPaymentService } from './payment-service.ts'

interface ServicesOptions {
  storeFile?: string | undefined
  mailsFile?: string | undefined
  paymentPort?: number
  smtpPort?: number
  /** Those that somebody else runs: they are taken as they are, and not started. */
  elsewhere?: { paymentUrl?: string | undefined; smtpPort?: number | undefined }
}

/** The world that the actions call: a payment service and a mail server. */
export async function startServices(options: ServicesOptions = {}) {
  const { storeFile, mailsFile, paymentPort = 0, smtpPort = 0, elsewhere = {} } = options
  const payments = elsewhere.paymentUrl
    ? { url: elsewhere.paymentUrl, stop: async () => {} }
    : await startPaymentService({ port: paymentPort, storeFile })
  const mail = elsewhere.smtpPort
    ? { port: elsewhere.smtpPort, stop: async () => {} }
    : await startMailServer({ port: smtpPort, mailsFile })
  return {
    paymentUrl: payments.url,
    smtpPort: mail.port,
    async stop() {
      await Promise.all([payments.stop(), mail.stop()])
    },
  }
}

/** What the services keep must outlive the server, or a run that goes on after a restart would be charged anew. */
export const filesIn = (directory: string) => ({
  storeFile: join(directory, 'charges.jsonl'),
  mailsFile: join(directory, 'mails.jsonl'),
})
