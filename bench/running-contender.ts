import { type ChildProcess, fork } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Command, Measurement, Message, Surroundings } from './contender.ts'

const START_TIMEOUT_MS = 90_000
const STOP_TIMEOUT_MS = 10_000
/** A contender that hangs is ended, and the rest goes on. Longer than any measurement takes. */
const ANSWER_TIMEOUT_MS = 400_000
/** Of what a contender prints, the end is kept: it is shown where the contender fails. */
const KEPT_OUTPUT = 2_000

const HERE = new URL('.', import.meta.url)
/** The room for young objects is what the README advises for busy servers: contenders that need none do not take it. */
const OPTIONS = ['--conditions=@action.do/source', '--import', import.meta.resolve('tsx'), '--max-semi-space-size=32']

/** As servers are run. */
export const AS_SERVED = { ...globalThis.process.env, NODE_ENV: 'production' }

/** The process of a contender, seen from outside. */
export interface RunningContender {
  readonly setUp: string
  readonly url: string | undefined
  ask(command: Command): Promise<Measurement>
  /** In good order, or else by force. */
  stop(): Promise<void>
}

/** Starts a contender in a process of its own. Throws with what it printed when it does not come up. */
export async function startContender(file: string, newerNode: boolean, surroundings: Surroundings) {
  const process = fork(
    fileURLToPath(new URL('contender-process.ts', HERE)),
    [new URL(file, HERE).href, JSON.stringify(surroundings)],
    {
      execPath: newerNode ? newerNodePath() : globalThis.process.execPath,
      execArgv: OPTIONS,
      silent: true,
      env: AS_SERVED,
    },
  )
  return new ContenderProcess(process).ready()
}

/** Of the Node that comes from the registry, for contenders that the product's Node is too old for. */
export function newerNodePath(): string {
  const name = `node-${process.platform}-${process.arch}`
  const require = createRequire(new URL('package.json', HERE))
  try {
    return require.resolve(`${name}/bin/node`)
  } catch {
    if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath
    throw new Error(`needs Node 22, and bench/ has no package ${name} for this machine`)
  }
}

class ContenderProcess {
  private readonly process: ChildProcess
  private readonly questions = new Map<number, { resolve: (m: Measurement) => void; reject: (e: Error) => void }>()
  private asked = 0
  private output = ''
  private readonly exited: Promise<void>

  constructor(process: ChildProcess) {
    this.process = process
    const keep = (text: Buffer) => {
      this.output = (this.output + text).slice(-KEPT_OUTPUT)
    }
    process.stdout?.on('data', keep)
    process.stderr?.on('data', keep)
    this.exited = new Promise((resolve) => process.once('exit', () => resolve()))
    process.on('message', (message: Message) => this.hear(message))
  }

  async ready(): Promise<RunningContender> {
    const { setUp, url } = await this.told().catch(async (error) => {
      await this.kill()
      throw error
    })
    this.exited.then(() => this.failAll())
    return { setUp, url, ask: (command) => this.ask(command), stop: () => this.stop() }
  }

  private told(): Promise<{ setUp: string; url?: string }> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`did not start in time: ${this.said()}`)), START_TIMEOUT_MS)
      this.process.on('message', (message: Message) => 'ready' in message && resolve(message.ready))
      this.exited.then(() => reject(new Error(`does not start: ${this.said()}`)))
      this.exited.finally(() => clearTimeout(late))
      this.process.once('message', () => clearTimeout(late))
    })
  }

  private ask(command: Command): Promise<Measurement> {
    const question = ++this.asked
    const late = setTimeout(() => this.process.kill('SIGKILL'), ANSWER_TIMEOUT_MS)
    return new Promise<Measurement>((resolve, reject) => {
      this.questions.set(question, { resolve, reject })
      this.process.send({ question, command }, (error) => error && reject(error))
    }).finally(() => clearTimeout(late))
  }

  private hear(message: Message): void {
    if (!('answer' in message)) return
    const question = this.questions.get(message.answer)
    this.questions.delete(message.answer)
    if ('failed' in message) question?.reject(new Error(message.failed))
    else question?.resolve(message.measured)
  }

  private failAll(): void {
    for (const { reject } of this.questions.values()) reject(new Error(`its process ended: ${this.said()}`))
    this.questions.clear()
  }

  /** What it printed last, in one line: the error, where there is one. */
  private said(): string {
    const lines = this.output.split('\n').filter((line) => line.trim() !== '')
    return (lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? 'it printed nothing').trim()
  }

  private async stop(): Promise<void> {
    if (this.process.connected) this.process.send({ question: 0, command: 'stop' }, () => {})
    const late = setTimeout(() => this.process.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await this.exited
    clearTimeout(late)
  }

  private async kill(): Promise<void> {
    this.process.kill('SIGKILL')
    await this.exited
  }
}
