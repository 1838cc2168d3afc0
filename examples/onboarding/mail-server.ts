import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer, type SMTPServerSession } from 'smtp-server'
import { z } from 'zod'
import { openJournal } from './journal.ts'

const Mail = z.object({
  messageId: z.string(),
  from: z.string(),
  to: z.array(z.string()),
  subject: z.string(),
  text: z.string(),
  receivedAt: z.string(),
})
type Mail = z.infer<typeof Mail>

/** An SMTP server on 127.0.0.1 that keeps what it receives. Like any other, it accepts the same mail twice. */
export async function startMailServer(options: { port?: number; mailsFile?: string | undefined } = {}) {
  const journal = openJournal((value) => Mail.parse(value), options.mailsFile)
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 100,
    onData(stream, session, done) {
      text(stream)
        .then((source) => journal.append(parseMail(source, session)))
        .then(() => done(), done)
    },
  })
  await new Promise<void>((resolve, reject) => {
    // after the start it is called when a client hangs up, which is no fault of the server
    server.on('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })

  return {
    port: (server.server.address() as AddressInfo).port,
    /** Every mail received, repeated ones too. */
    mails: (): Mail[] => [...journal.entries()],
    /** What the person sees: mail clients show a Message-ID once. */
    inbox(address: string): Mail[] {
      const own = journal.entries().filter((mail) => mail.to.includes(address))
      return own.filter((mail, index) => own.findIndex((other) => other.messageId === mail.messageId) === index)
    },
    async stop() {
      await new Promise<void>((resolve) => server.close(resolve))
      journal.close()
    },
  }
}

/** Reads plain 7-bit mails, which is all that the example sends. */
function parseMail(source: string, { envelope }: SMTPServerSession): Mail {
  const [head = '', ...body] = source.split('\r\n\r\n')
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')
  const header = (name: string) =>
    lines
      .find((line) => line.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim() ?? ''
  return {
    messageId: header('message-id'),
    from: envelope.mailFrom ? envelope.mailFrom.address : '',
    to: envelope.rcptTo.map(({ address }) => address),
    subject: header('subject'),
    text: body.join('\r\n\r\n').replaceAll('\r\n', '\n').trimEnd(),
    receivedAt: new Date().toISOString(),
  }
}
