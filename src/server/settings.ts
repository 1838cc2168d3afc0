import { parseAllowList } from '../core/http-action/allow-list.ts'
import { DEFAULT_CONNECTIONS, MIN_CONNECTIONS } from '../db/client.ts'
import { DEFAULT_EXECUTOR_OPTIONS } from '../executor/options.ts'

/** A value that makes no sense: the server does not start. The message names the setting, what was given and what is allowed. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    // it concerns whoever set the value, not whoever reads the code
    this.stack = `${this.name}: ${message}`
  }
}

/** A setting: its environment variable, the option of `serve` that overrides it, and what it may be. */
interface Setting<T> {
  readonly env: string
  readonly fallback: T
  /** For the README's table. */
  readonly shownDefault: string
  readonly meaning: string
  /** What is allowed, as the error says it. */
  readonly allowed: string
  /** `undefined`: not allowed. */
  parse(text: string): T | undefined
}

const defaults = DEFAULT_EXECUTOR_OPTIONS

function integer(env: string, fallback: number, min: number, max: number, meaning: string): Setting<number> {
  const allowed = `a whole number from ${min} to ${max}`
  const parse = (text: string) => {
    const value = /^\d{1,15}$/.test(text.trim()) ? Number(text) : Number.NaN
    return value >= min && value <= max ? value : undefined
  }
  return { env, fallback, shownDefault: `${fallback}`, meaning, allowed, parse }
}

function choice<T extends string>(env: string, fallback: T, choices: readonly T[], meaning: string): Setting<T> {
  const parse = (text: string) => choices.find((one) => one === text.trim().toLowerCase())
  return { env, fallback, shownDefault: `\`${fallback}\``, meaning, allowed: `one of ${choices.join(', ')}`, parse }
}

const MIN_KEY_LENGTH = 16

/** Every setting of the server, once: parsing, the errors and the README's table derive from it. */
export const SETTINGS = {
  port: integer('PORT', 4000, 0, 65_535, 'Port of the HTTP server; 0 picks a free one and prints it.'),
  host: {
    env: 'HOST',
    fallback: '127.0.0.1',
    shownDefault: '`127.0.0.1`',
    meaning: 'Address to listen on; `0.0.0.0` or `::` for all.',
    allowed: 'a host name or an IP address',
    parse: (text) => (/^[A-Za-z0-9.:_-]+$/.test(text.trim()) ? text.trim() : undefined),
  },
  databaseUrl: {
    env: 'DATABASE_URL',
    fallback: undefined,
    shownDefault: 'embedded Postgres',
    meaning: 'A Postgres 15 or newer: `postgres://user:password@host:5432/database`.',
    allowed: 'a URL that begins with postgres:// or postgresql://',
    parse: (text) => (/^postgres(ql)?:\/\/./.test(text.trim()) && URL.canParse(text.trim()) ? text.trim() : undefined),
  },
  databaseConnections: integer(
    'DATABASE_CONNECTIONS',
    DEFAULT_CONNECTIONS,
    MIN_CONNECTIONS,
    1_000,
    'Connections that this server opens to Postgres at most; almost half of them are for handlers with `ctx.tx`.',
  ),
  dataDir: {
    env: 'DO_DATA_DIR',
    fallback: '.action.do',
    shownDefault: '`.action.do`',
    meaning: 'Folder of the embedded database and of the key that is made on first start.',
    allowed: 'the path of a folder',
    parse: (text) => (text.trim() === '' || text.includes('\0') ? undefined : text),
  },
  apiKey: {
    env: 'DO_API_KEY',
    fallback: undefined,
    shownDefault: 'made on first start',
    meaning: 'Accept this API key.',
    allowed: `${MIN_KEY_LENGTH} characters or more, without white space`,
    parse: (text) => (text.length >= MIN_KEY_LENGTH && !/\s/.test(text) ? text : undefined),
  },
  corsOrigins: {
    env: 'CORS_ORIGINS',
    fallback: [],
    shownDefault: 'none',
    meaning: 'Origins whose pages may call the API, separated by commas; `*` for any.',
    allowed: 'origins like https://app.example.com, separated by commas, or *',
    parse: parseOrigins,
  },
  publicUrl: {
    env: 'PUBLIC_URL',
    fallback: undefined,
    shownDefault: 'the address that it listens on',
    meaning: 'Where services reach this server to say how an HTTP action ended that they finish later.',
    allowed: 'a URL that begins with http:// or https://, without query and fragment',
    parse: parsePublicUrl,
  },
  httpActionsAllow: {
    env: 'HTTP_ACTIONS_ALLOW',
    fallback: [],
    shownDefault: 'none',
    meaning: 'Hosts and networks outside of the internet that HTTP actions may call, separated by commas.',
    allowed: 'host names, addresses and networks, separated by commas, like billing.internal, *.svc.local, 10.1.0.0/16',
    parse: parseAllowList,
  },
  role: choice(
    'DO_ROLE',
    'all',
    ['all', 'api', 'worker'],
    '`api` answers requests, `worker` executes runs, `all` does both.',
  ),
  concurrency: integer('CONCURRENCY', defaults.concurrency, 1, 10_000, 'Runs that this server executes at once.'),
  logLevel: choice(
    'LOG_LEVEL',
    'info',
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'The least important lines to log.',
  ),
  queueLimit: integer(
    'QUEUE_LIMIT',
    defaults.queueLimit,
    1,
    100_000_000,
    'Runs of one action that may wait; more calls get `RATE_LIMITED`.',
  ),
  maxParamsBytes: integer(
    'MAX_PARAMS_BYTES',
    defaults.maxParamsBytes,
    1_000,
    67_108_864,
    'Size of params, in bytes of JSON.',
  ),
  maxResultBytes: integer(
    'MAX_RESULT_BYTES',
    defaults.maxResultBytes,
    1_000,
    67_108_864,
    'Size of a result, in bytes of JSON.',
  ),
  maxLosses: integer('MAX_LOSSES', defaults.maxLosses, 1, 1_000, 'Attempts cut by crashes after which a run fails.'),
  leaseMs: integer(
    'LEASE_MS',
    defaults.leaseMs,
    500,
    600_000,
    'How long a silent worker keeps its runs, in milliseconds.',
  ),
  pollMs: integer(
    'POLL_MS',
    defaults.pollMs,
    10,
    60_000,
    'How often the queue is looked at without a notification, in milliseconds.',
  ),
  notify: choice(
    'DO_NOTIFY',
    'on',
    ['on', 'off'],
    'Whether nodes tell each other of changes with NOTIFY. Everything works without, a poll later.',
  ),
  shutdownTimeoutMs: integer(
    'SHUTDOWN_TIMEOUT_MS',
    30_000,
    0,
    3_600_000,
    'How long a stop may take, in milliseconds; handlers get four fifths of it.',
  ),
} satisfies { [name: string]: Setting<unknown> | Setting<string | undefined> | Setting<readonly string[]> }

export interface Configuration {
  port: number
  host: string
  databaseUrl: string | undefined
  databaseConnections: number
  dataDir: string
  apiKey: string | undefined
  corsOrigins: readonly string[]
  publicUrl: string | undefined
  httpActionsAllow: readonly string[]
  role: 'all' | 'api' | 'worker'
  concurrency: number
  logLevel: string
  queueLimit: number
  maxParamsBytes: number
  maxResultBytes: number
  maxLosses: number
  leaseMs: number
  pollMs: number
  notify: 'on' | 'off'
  shutdownTimeoutMs: number
}

/** Secrets are never repeated, not even in an error. */
const SECRETS = new Set(['DO_API_KEY', 'DATABASE_URL'])

/**
 * Reads every setting once: what `serve` was given, else the environment, else the default.
 * Throws a `ConfigurationError` for the first that makes no sense.
 */
export function readConfiguration(given: Partial<Configuration>, environment: NodeJS.ProcessEnv): Configuration {
  const read = Object.entries(SETTINGS).map(([name, setting]) => {
    const option = given[name as keyof Configuration]
    if (option !== undefined) return [name, check(`serve({ ${name} })`, setting, asText(option))]
    const text = environment[setting.env]
    return [name, text === undefined || text === '' ? setting.fallback : check(setting.env, setting, text)]
  })
  return Object.fromEntries(read) as Configuration
}

function asText(option: unknown): string {
  return Array.isArray(option) ? option.join(',') : String(option)
}

function check(where: string, setting: Setting<unknown>, text: string): unknown {
  const value = setting.parse(text)
  if (value !== undefined) return value
  const shown = SECRETS.has(setting.env) ? `(${text.length} characters, not shown)` : JSON.stringify(text)
  throw new ConfigurationError(`${where} is ${shown}; it must be ${setting.allowed}`)
}

function parseOrigins(text: string): readonly string[] | undefined {
  const origins = text.split(',').map((origin) => origin.trim().replace(/\/$/, ''))
  const good = origins.every((origin) => origin === '*' || (URL.canParse(origin) && new URL(origin).origin === origin))
  return good ? origins : undefined
}

function parsePublicUrl(text: string): string | undefined {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined
  const good = url && /^https?:$/.test(url.protocol) && !/[?#@]/.test(text)
  return good ? url.href : undefined
}
