import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium } from 'playwright-core'

const EXECUTABLE = '/usr/bin/chromium'

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A machine without Chromium gets it first, which takes a while. */
export const LAUNCH_TIMEOUT_MS = 300_000

export async function launchChromium(): Promise<Browser> {
  if (!existsSync(EXECUTABLE)) {
    const script = fileURLToPath(new URL('../../scripts/ensure-chromium.sh', import.meta.url))
    execFileSync('sh', [script], { stdio: 'inherit' })
  }
  return chromium.launch({ executablePath: EXECUTABLE, args: ARGS })
}
