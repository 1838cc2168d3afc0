/** The process of one contender: starts it, and measures what it is asked to. Arguments: its file, its surroundings. */
import type { Command, Contender, ContenderModule, Measurement, Message } from './contender.ts'
import { backlog, oneKey, round, times } from './measure.ts'

const [file = '', surroundings = ''] = process.argv.slice(2)

try {
  const { setUp, start }: ContenderModule = await import(file)
  const contender = await start(JSON.parse(surroundings))
  process.on('message', ({ question, command }: { question: number; command: Command | 'stop' }) => {
    if (command === 'stop') return void contender.stop().finally(() => process.exit(0))
    measure(contender, command).then(
      (measured) => send({ answer: question, measured }),
      (error: Error) => send({ answer: question, failed: `${error.message ?? error}` }),
    )
  })
  // whoever asked is gone: nobody would ever stop this process
  process.on('disconnect', () => process.exit(1))
  send({ ready: { setUp, ...(contender.url === undefined ? {} : { url: contender.url }) } })
} catch (error) {
  console.error(error)
  process.exit(1)
}

function measure(contender: Contender, command: Command): Promise<Measurement> {
  switch (command.kind) {
    case 'round':
      return round(callOf(contender, command.call), command.clients, command.ms)
    case 'times':
      return times(callOf(contender, command.call), command.times, command.clients)
    case 'oneKey': {
      const key = crypto.randomUUID()
      return oneKey(() => offered(contender.oneKey?.(key), 'oneKey'), command.calls, command.clients)
    }
    case 'backlog':
      return backlog(offered(contender.backlog, 'backlog'), command.count)
  }
}

function callOf({ calls }: Contender, name: string): () => PromiseLike<unknown> {
  return offered(calls[name], name)
}

function offered<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`offers no "${name}"`)
  return value
}

function send(message: Message): void {
  process.send?.(message)
}
