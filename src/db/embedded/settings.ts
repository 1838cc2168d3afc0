import { SOCKET_PORT } from './place.ts'

/** Owns the cluster; holds it open and looks after it. */
export const SUPERUSER = 'postgres'
/** What the server works with: its own database, and a role that owns it and nothing else. */
export const DATABASE = 'action_do'
export const ROLE = 'action_do'

/** For a developer's machine of two cores. Durability is left as safe as Postgres makes it. */
const DEFAULTS: Record<string, string> = {
  max_connections: '200',
  shared_buffers: '128MB',
  synchronous_commit: 'on',
  // these two lines every five minutes would be most of the log
  log_checkpoints: 'off',
}

const LINUX: Record<string, string> = {
  // containers have 64 MB of /dev/shm, which one parallel query can fill
  dynamic_shared_memory_type: 'mmap',
  // after a crash, one syncfs instead of opening every file of the directory
  recovery_init_sync_method: 'syncfs',
}

/** The command line of the server: defaults, then the caller's settings, then what we recognise and reach it by. */
export function serverArguments(clusterName: string, port: number, settings: Record<string, string>): string[] {
  const access =
    process.platform === 'win32'
      ? { listen_addresses: '127.0.0.1', unix_socket_directories: '', port: String(port) }
      : // `.` is the data directory, which is where the server runs: short, and reachable under a closed parent
        { listen_addresses: '', unix_socket_directories: '.', port: String(SOCKET_PORT) }
  const all = {
    ...DEFAULTS,
    ...(process.platform === 'linux' ? LINUX : {}),
    ...settings,
    ...access,
    cluster_name: clusterName,
  }
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/** Nothing of the caller's environment: PGDATA, PGPORT, LC_ALL and the like all change what Postgres does. */
export function cleanEnvironment(): Record<string, string> {
  // a time zone is given because initdb otherwise tries hundreds of them to find the system's name
  const environment: Record<string, string> = { LC_ALL: 'C', TZ: 'UTC', PATH: process.env.PATH ?? '/usr/bin:/bin' }
  for (const name of ['SystemRoot', 'TEMP', 'TMP']) {
    const value = process.env[name]
    if (process.platform === 'win32' && value !== undefined) environment[name] = value
  }
  return environment
}
