import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'

/** Lines for people in a terminal, JSON anywhere else. Secrets are cut out wherever a line might carry them. */
export function createLog(level: string): Logger {
  const options = {
    level,
    base: null,
    redact: {
      paths: ['apiKey', 'databaseUrl', 'authorization', '*.apiKey', '*.password', '*.authorization', 'req.headers'],
      censor: '(not shown)',
    },
    serializers: { err: describeError },
  }
  if (!process.stdout.isTTY) return pino(options)
  return pino(options, pretty({ colorize: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', sync: true }))
}

/** drizzle's message holds the SQL and its params: the cause says what is wrong, and no more is shown. */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) }
  const { cause } = error
  if (error.constructor.name === 'DrizzleQueryError' && cause instanceof Error) return describeError(cause)
  const code = Reflect.get(error, 'code')
  return {
    type: error.name,
    message: error.message,
    ...(code !== undefined && { code }),
    stack: error.stack,
    ...(cause instanceof Error && { cause: describeError(cause) }),
  }
}
