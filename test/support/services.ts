import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The onboarding example's payment service and mail server, in a process of their own. */
export interface Services {
  readonly paymentUrl: string
  readonly smtpPort: number
  /** SIGKILL: their ports refuse from now on. */
  kill(): Promise<void>
}

/** Killed when the test ends, however it ends. @param env what services-main.ts takes. */
export async function startServices(env: Record<string, string>): Promise<Services> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/onboarding/services-main.ts'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  const exited = once(child, 'exit')
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  onTestFinished(kill)
  for await (const line of createInterface({ input: child.stdout })) return { ...JSON.parse(line), kill }
  throw new Error('the services ended without a word')
}
