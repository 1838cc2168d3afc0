import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { API_KEY, type ApiClient, apiClient } from './server.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The onboarding example, started as `npm start` does. Killed when the test ends, however it ends. */
export interface Onboarding extends ApiClient {
  readonly url: string
  readonly paymentUrl: string
  /** What it printed, up to the moment it was ready. */
  readonly printed: string
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
}

/** @param env besides the defaults; `undefined` takes a default away. */
export async function startOnboarding(env: Record<string, string | undefined>): Promise<Onboarding> {
  const args = ['--conditions=@action.do/source', '--import', 'tsx', 'examples/onboarding/main.ts']
  const { DATABASE_URL: _, ...inherited } = process.env
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...inherited, PORT: '0', HOST: '127.0.0.1', DO_API_KEY: API_KEY, LOG_LEVEL: 'error', ...env },
  })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout })
  for await (const line of reader) {
    lines.push(line)
    if (line.startsWith('mail server')) break
  }
  child.stdout.resume()
  const printed = lines.join('\n')
  const find = (pattern: RegExp) => {
    const found = pattern.exec(printed)?.[1]
    if (!found) throw new Error(`the server printed nothing like ${pattern}:\n${printed}`)
    return found
  }
  const url = find(/GraphQL +(http\S+)/)
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await exited
    return child.exitCode
  }
  return {
    ...apiClient(url),
    url,
    printed,
    paymentUrl: find(/payment service +(http\S+)/),
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  }
}

/** The charges that the example's payment service has on disk, by idempotency key. */
export async function chargesIn(dataDir: string): Promise<Map<string, number>> {
  const text = await readFile(join(dataDir, 'onboarding', 'charges.jsonl'), 'utf8')
  const counts = new Map<string, number>()
  for (const line of text.split('\n').slice(0, -1)) {
    const { idempotencyKey } = JSON.parse(line)
    counts.set(idempotencyKey, (counts.get(idempotencyKey) ?? 0) + 1)
  }
  return counts
}

/** What a payment takes; each of its own amount. */
export function payment(n: number): { name: string; params: object; idempotencyKey: string } {
  const params = { customerId: `cus_${n}`, amountCents: 100 + n, currency: 'eur' }
  return { name: 'process-payment', params, idempotencyKey: `payment-${n}` }
}
