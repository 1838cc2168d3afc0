import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { codeOf } from './failure.ts'

/**
 * Tells a process from a later one with the same pid: when it was started, and in which boot of the machine.
 * `undefined` when there is no such process or it is a zombie. Windows has no cheap way to ask for the start, so there
 * it is only known that the pid is in use.
 */
export async function startOf(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') return startOnLinux(pid)
  if (process.platform === 'win32') return isPidUsed(pid) ? 'running' : undefined
  const started = await ps(pid, 'stat=,lstart=')
  return started === '' || started.startsWith('Z') ? undefined : started.replace(/^\S+\s+/, '')
}

/** Whether `pid` is a postmaster started with this `cluster_name`. Everyone may read a command line, also inside containers. */
export async function isPostmaster(pid: number, clusterName: string): Promise<boolean> {
  const setting = `cluster_name=${clusterName}`
  if (process.platform === 'linux') return (await readProc(`/proc/${pid}/cmdline`)).split('\0').includes(setting)
  // each Postgres on Windows listens for signals on a pipe of this name: a Postgres, though perhaps not this one
  if (process.platform === 'win32') return (await readdir('\\\\.\\pipe\\')).includes(`pgsignal_${pid}`)
  return (await ps(pid, 'command=')).split(/\s+/).includes(setting)
}

async function startOnLinux(pid: number): Promise<string | undefined> {
  const stat = await readProc(`/proc/${pid}/stat`)
  // the second field is the program's name in parentheses, which may hold spaces and parentheses itself
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, ticks] = [fields[0], fields[19]]
  if (ticks === undefined || state === 'Z' || state === 'X') return undefined
  return `${(await readProc('/proc/sys/kernel/random/boot_id')).trim()}/${ticks}`
}

function isPidUsed(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/** Empty when there is no such process. Any other failure is thrown: "I cannot see it" must not pass for "it is dead". */
async function readProc(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return ''
    throw error
  }
}

async function ps(pid: number, columns: string): Promise<string> {
  try {
    const args = ['-ww', '-o', columns, '-p', String(pid)]
    const { stdout } = await promisify(execFile)('/bin/ps', args, { env: { LC_ALL: 'C' } })
    return stdout.trim()
  } catch (error) {
    // ps exits with 1 when there is no such process
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 1) return ''
    throw error
  }
}
