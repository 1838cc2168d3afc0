import { expect } from 'vitest'
import { z } from 'zod'
import { action } from '../../src/index.ts'
import { recorded } from '../support/refusals.ts'
import type { ShownWorkflowRun, StartAnswer, WorkflowServer } from '../support/workflows.ts'

/** Gives back what it gets; any object. */
export const echo = action('echo', { params: z.looseObject({}), run: ({ params }) => params })

/** Starts a workflow that is to be refused, and makes sure that nothing was recorded. */
export async function refusedStart(server: WorkflowServer, input: object): Promise<StartAnswer> {
  const before = await recorded(server)
  const answer = await server.start(input)
  expect(answer.run, 'a refusal has no run').toBeUndefined()
  expect(answer.code, 'a refusal has a code').toBeTypeOf('string')
  expect(await recorded(server), 'a refusal records nothing').toBe(before)
  return answer
}

/** Does something that is to be refused, and makes sure that the run is as it was. */
export async function unchanged<T>(server: WorkflowServer, id: string, attempt: () => Promise<T>): Promise<T> {
  const [run, rows] = [await server.look(id), await recorded(server)]
  const answer = await attempt()
  expect(await server.look(id), 'the run is as it was').toEqual(run)
  expect(await recorded(server), 'a refusal records nothing').toBe(rows)
  return answer
}

/** That the server works as ever. */
export async function stillWorks(server: WorkflowServer): Promise<void> {
  const definition = { name: 'fine', steps: [{ key: 'a', action: 'echo', params: { n: 1 } }] }
  expect(await server.run({ definition })).toMatchObject({ status: 'SUCCEEDED', result: { n: 1 } })
}

/** Waits until a run has come to rest, and gives it. */
export async function atRest(server: WorkflowServer, id: string): Promise<ShownWorkflowRun> {
  await expect
    .poll(async () => (await server.look(id)).status, { timeout: 15_000 })
    .toMatch(/SUCCEEDED|FAILED|CANCELED|INDETERMINATE/)
  return server.look(id)
}
