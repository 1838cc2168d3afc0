import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { argumentsOf } from './programs.ts'
import { API_KEY, type ApiClient, apiClient } from './server.ts'

/** A server in a process of its own. Killed when the test ends, however it ends. */
export interface ServerProcess extends ApiClient {
  readonly url: string
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGSTOP; resolves when the process stands still. */
  freeze(): Promise<void>
  /** SIGCONT. */
  thaw(): void
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
}

/**
 * Starts `test/support/fixtures/<fixture>.ts`, which prints `ready <url>`, and waits for that line.
 * @param env overrides; the lease and the polls are short unless they say otherwise.
 */
export async function startServerProcess(
  fixture: string,
  { databaseUrl, env = {} }: { databaseUrl: string; env?: Record<string, string> },
): Promise<ServerProcess> {
  const child = spawn(process.execPath, argumentsOf(fixture), {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      PORT: '0',
      HOST: '127.0.0.1',
      DO_API_KEY: API_KEY,
      LEASE_MS: '1000',
      POLL_MS: '200',
      LOG_LEVEL: 'error',
      ...env,
    },
  })
  const exited = once(child, 'exit')
  // what is stopped is killed as well: SIGKILL asks nobody
  onTestFinished(() => end(child, 'SIGKILL', exited))
  const url = await readyUrl(child, exited)
  return {
    ...apiClient(url),
    url,
    kill: () => end(child, 'SIGKILL', exited),
    async freeze() {
      child.kill('SIGSTOP')
      while (!(await isStopped(child.pid as number))) await sleep(1)
    },
    thaw: () => void child.kill('SIGCONT'),
    async stop() {
      await end(child, 'SIGTERM', exited)
      return child.exitCode
    },
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals, exited: Promise<unknown>): Promise<void> {
  child.kill(signal)
  await exited
}

async function readyUrl(child: ChildProcess, exited: Promise<unknown>): Promise<string> {
  const lines = createInterface({ input: child.stdout! })
  for await (const line of lines) {
    const [word, url] = line.split(' ')
    if (word === 'ready' && url) return url
  }
  await exited
  throw new Error(`the server process ended before it was ready, with ${child.exitCode ?? child.signalCode}`)
}

/** No signal tells that another process has stopped; its state does. */
async function isStopped(pid: number): Promise<boolean> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // the name, in parentheses, may itself hold any character
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')
  }
  const { stdout } = await promisify(execFile)('ps', ['-o', 'state=', '-p', String(pid)])
  return stdout.trim().startsWith('T')
}
