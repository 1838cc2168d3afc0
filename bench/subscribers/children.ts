/** Processes of their own that answer calls over IPC: what is measured must not share an event loop with what measures. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { AS_SERVED } from '../running-contender.ts'

export interface Child {
  call<T>(method: string, argument?: unknown): Promise<T>
  /** Messages that the child sends by itself. */
  onMessage(listener: (message: number) => void): void
  stop(): Promise<void>
}

type Methods = Record<string, (argument: never) => unknown>

interface Answer {
  call: number
  result?: unknown
  error?: string
}

/** @param flags of node, e.g. `--cpu-prof`. */
export function startChild(file: string, args: readonly string[], flags: readonly string[] = []): Child {
  const execArgv = ['--expose-gc', '--conditions=@action.do/source', '--import', 'tsx', ...flags]
  const child: ChildProcess = fork(new URL(file, import.meta.url), [...args], { execArgv, env: AS_SERVED })
  const pending = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>()
  const listeners: ((message: number) => void)[] = []
  let calls = 0
  child.on('message', (message: Answer | number) => {
    if (typeof message === 'number') return listeners.forEach((listener) => void listener(message))
    const call = pending.get(message.call)
    pending.delete(message.call)
    if (message.error !== undefined) call?.reject(new Error(`${file}: ${message.error}`))
    else call?.resolve(message.result as never)
  })
  child.on('exit', (code) => {
    for (const { reject } of pending.values()) reject(new Error(`${file} exited with ${code}`))
  })
  return {
    call: (method, argument) =>
      new Promise((resolve, reject) => {
        pending.set(++calls, { resolve, reject })
        child.send({ call: calls, method, argument })
      }),
    onMessage: (listener) => listeners.push(listener),
    async stop() {
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}

/** In the child: answers the calls of its parent, and ends with it. */
export function answerCalls(methods: Methods, stop: () => Promise<unknown> = async () => {}): void {
  process.on('message', async ({ call, method, argument }: { call: number; method: string; argument: never }) => {
    const answer: Answer = { call }
    try {
      answer.result = await methods[method]?.(argument)
    } catch (error) {
      answer.error = String((error as Error).stack)
    }
    if (process.connected) process.send?.(answer)
  })
  process.on('disconnect', () => stop().finally(() => process.exit(0)))
}

/** What a server process uses: bytes after a full collection, and microseconds of processor time so far. */
export interface Usage {
  heap: number
  rss: number
  cpuMicros: number
}

export function usage(collect: boolean): Usage {
  if (collect) for (let i = 0; i < 3; i++) globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  return { heap: heapUsed + external, rss, cpuMicros: user + system }
}
