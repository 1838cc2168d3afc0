import { readFile } from 'node:fs/promises'
import { filesIn } from '../../examples/onboarding/services.ts'
import { newDataDir } from '../db/embedded-support.ts'
import { testDatabase } from './database.ts'
import { queryOf } from './notes.ts'
import { type Onboarding, startOnboarding } from './onboarding.ts'

interface Charge {
  customerId: string
  amountCents: number
}

interface Mail {
  messageId: string
  to: string[]
}

/** What there is of somebody, read in the stores themselves and not from what the server says. */
interface Effects {
  users: { id: string }[]
  charges: Charge[]
  mails: Mail[]
}

/** The places that outlive the servers of a test: a database, and the files of the services. `cleanUp` removes them. */
export interface World {
  readonly databaseUrl: string
  /** What `startServices` takes for the services to keep what they get. */
  readonly files: { STORE_FILE: string; MAILS_FILE: string }
  serve(paymentUrl: string, smtpPort: number, env?: Record<string, string>): Promise<Onboarding>
  effectsFor(email: string): Promise<Effects>
  /** Everybody's. */
  charges(): Promise<Charge[]>
}

export async function newWorld(): Promise<World> {
  const [databaseUrl, directory] = await Promise.all([testDatabase(), newDataDir()])
  const own = queryOf(databaseUrl)
  const { storeFile, mailsFile } = filesIn(directory)
  const charges = () => journalIn<Charge>(storeFile)
  return {
    databaseUrl,
    files: { STORE_FILE: storeFile, MAILS_FILE: mailsFile },
    charges,
    serve: (paymentUrl, smtpPort, env = {}) =>
      startOnboarding({
        DATABASE_URL: databaseUrl,
        DO_DATA_DIR: directory,
        PAYMENT_URL: paymentUrl,
        SMTP_PORT: `${smtpPort}`,
        LEASE_MS: '1000',
        POLL_MS: '100',
        ...env,
      }),
    async effectsFor(email) {
      const users = await own<{ id: string }[]>`select id from onboarding_users where email = ${email}`
      const ids = users.map(({ id }) => id)
      return {
        users,
        charges: (await charges()).filter(({ customerId }) => ids.includes(customerId)),
        mails: (await journalIn<Mail>(mailsFile)).filter(({ to }) => to.includes(email)),
      }
    },
  }
}

/** The lines of a service's file. */
async function journalIn<T>(file: string): Promise<T[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line))
}
