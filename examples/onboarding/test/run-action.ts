import type { Action } from 'action.do'
import { pino } from 'pino'

type Context = Parameters<Action['run']>[0]

/** Runs one attempt of an action as the server would: params and result pass through their schemas. */
export async function runAction<P, R>(
  action: Action<string, P, R>,
  params: P,
  context: Partial<Omit<Context, 'params'>> = {},
): Promise<R> {
  const result = await action.run({
    params: await validated(action.paramsSchema, params),
    idempotencyKey: 'key-1',
    runId: 'run_00000000000000000000000000',
    attempt: 1,
    signal: AbortSignal.timeout(10_000),
    log: pino({ level: 'silent' }),
    heartbeat() {},
    lastHeartbeat: undefined,
    get tx(): never {
      throw new Error('this action is not transactional')
    },
    ...context,
  })
  return (await validated(action.resultSchema, result)) as R
}

async function validated(schema: Action['paramsSchema'], value: unknown): Promise<unknown> {
  const checked = await schema?.['~standard'].validate(value)
  if (checked?.issues) throw new TypeError(checked.issues.map((issue) => issue.message).join('; '))
  return checked ? checked.value : value
}
