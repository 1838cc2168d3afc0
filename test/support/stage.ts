import { expect } from 'vitest'
import { z } from 'zod'
import { action } from '../../src/index.ts'
import { operate } from './operations.ts'
import { type ShownWorkflowRun, statesOf, type WorkflowServer } from './workflows.ts'

/** Tasks that say when they begin and end, and that a test can hold in between. */
export interface Stage {
  /** What happened, in its order: `+a` began, `-a` ended, `!a` was stopped. */
  readonly log: string[]
  readonly task: ReturnType<typeof taskAction>
  /** Lets a task end that is held, once. */
  release(name: string): void
  /** Waits until a task has begun. */
  begun(...names: string[]): Promise<void>
}

export function stage(): Stage {
  const log: string[] = []
  const gates = new Map<string, { open: Promise<void>; release: () => void }>()
  const gate = (name: string) => {
    const known = gates.get(name)
    if (known) return known
    let release = () => {}
    const open = new Promise<void>((resolve) => {
      release = resolve
    })
    gates.set(name, { open, release })
    return { open, release }
  }
  return {
    log,
    task: taskAction(log, (name) => gate(name).open),
    release: (name) => gate(name).release(),
    begun: async (...names) => {
      await expect.poll(() => names.filter((name) => !log.includes(`+${name}`)), POLL).toEqual([])
    },
  }
}

function taskAction(log: string[], opened: (name: string) => Promise<void>) {
  return action('task', {
    params: z.object({ name: z.string(), hold: z.boolean().default(false) }),
    result: z.string(),
    run: async ({ params: { name, hold }, signal }) => {
      log.push(`+${name}`)
      signal.addEventListener('abort', () => log.push(`!${name}`))
      await Promise.race([hold ? opened(name) : undefined, aborted(signal)])
      log.push(`-${name}`)
      return name
    },
  })
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}

/** Params of a task that ends by itself. */
export const does = (name: string) => () => ({ name })

/** Params of a task that ends when it is released. */
export const holds = (name: string) => () => ({ name, hold: true })

const POLL = { timeout: 10_000, interval: 10 }

/** Starts a workflow, and gives back the id of its run. */
export async function begin(server: WorkflowServer, input: object): Promise<string> {
  const { run, message } = await server.start(input)
  if (!run) throw new Error(message)
  return run.id
}

/** Waits until the steps named are in these states; what follows from them was committed with them. */
export async function reaches(
  server: WorkflowServer,
  id: string,
  states: Record<string, string>,
): Promise<ShownWorkflowRun> {
  await expect.poll(async () => statesOf(await server.look(id)), POLL).toMatchObject(states)
  return server.look(id)
}

/** Waits until a run has come to its end, and expects it to be this one. */
export async function ends(server: WorkflowServer, id: string, status = 'SUCCEEDED'): Promise<ShownWorkflowRun> {
  await expect.poll(async () => (await server.look(id)).status, POLL).toBe(status)
  return server.look(id)
}

/** Sends a signal, which must be accepted. */
export async function signal(server: WorkflowServer, id: string, name: string, payload: unknown = null): Promise<void> {
  const { __typename, message } = await operate(server, 'signalRun', { id, name, payload })
  expect(message ?? __typename).toBe('SignalRunPayload')
}

/** The states of the steps of a sub-workflow that is the run of a list or a loop. */
export async function inside(server: WorkflowServer, id: string, key: string, index: number) {
  const { steps } = await server.look(id)
  const step = steps.find((one) => one.key === key && one.index === index)
  if (!step) throw new Error(`there is no ${key}[${index}]`)
  return statesOf(await server.look(step.run.id))
}
