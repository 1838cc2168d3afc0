import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { z } from 'zod'
import { action, NonRetryableError, OutcomeUnknownError } from '../../src/index.ts'
import { until } from '../support/until.ts'
import { statesOf, type WorkflowServer } from '../support/workflows.ts'

/**
 * Actions that do what a test tells them: fail while they are `broken`, leave their outcome open while they are `unknown`, wait
 * while they are `held`. What they begin is in the log as `+name`, what they have done as `-name`.
 */
export function troupe() {
  const log: string[] = []
  const [broken, unknown, held] = [new Set<string>(), new Set<string>(), new Set<string>()]
  const play = async (what: string) => {
    log.push(`+${what}`)
    await until(() => !held.has(what))
    if (unknown.has(what)) throw new OutcomeUnknownError('who knows')
    if (broken.has(what)) throw new NonRetryableError(`${what} is broken`, { code: 'BROKEN' })
    log.push(`-${what}`)
  }
  const act = (name: string, effect: 'idempotent' | 'unsafe' = 'idempotent') =>
    action(name, {
      params: z.looseObject({ item: z.unknown().optional() }),
      result: z.object({ what: z.string() }),
      effect,
      retry: { maxAttempts: 1 },
      run: async ({ params: { item } }) => {
        const what = item === undefined ? name : `${name} ${item}`
        await play(what)
        return { what }
      },
      compensate: ({ result }) => play(`undo ${result.what}`),
    })
  return { log, broken, unknown, held, act, times: (line: string) => log.filter((one) => one === line).length }
}

/** Waits until a run, or a step of it, is in a state. */
export async function comesTo(server: WorkflowServer, id: string, state: string, step?: string): Promise<void> {
  const look = async () => {
    const run = await server.look(id)
    return step === undefined ? run.status : statesOf(run)[step]
  }
  await expect.poll(look, { timeout: 10_000, interval: 20 }).toBe(state)
}

/** What is not to happen would have happened by then. */
export const aWhile = () => sleep(400)
