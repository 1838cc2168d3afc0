import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const STAMP = `${HERE}node_modules/.installed`

let installing: Promise<void> | undefined

/** Installs the peers on first use, and again when the lock file has changed: they are no dependencies of the product. */
export function installPeers(): Promise<void> {
  installing ??= install()
  return installing
}

async function install(): Promise<void> {
  const lock = createHash('sha256')
    .update(readFileSync(`${HERE}package-lock.json`))
    .digest('hex')
  if (stamp() === lock) return
  console.error('Installing the peers into bench/node_modules (once)')
  // no peer needs its install script, and some of them phone home with it
  const options = ['ci', '--prefix', HERE, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  await promisify(execFile)('npm', options, { cwd: HERE }).catch(({ stderr }: { stderr?: string }) => {
    throw new Error(`its package cannot be installed: ${stderr?.split('\n')[0]}`)
  })
  writeFileSync(STAMP, lock)
}

function stamp(): string | undefined {
  try {
    return readFileSync(STAMP, 'utf8')
  } catch {
    return undefined
  }
}

/** Of an installed peer. */
export function versionOf(name: string): string {
  const { version } = JSON.parse(readFileSync(`${HERE}node_modules/${name}/package.json`, 'utf8')) as {
    version: string
  }
  return version
}
