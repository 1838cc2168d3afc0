import { expect } from 'vitest'
import { EXECUTE, type ExecuteAnswer, type TestServer } from './server.ts'

/** How many runs, events, attempts and keys of commands are recorded. */
export async function recorded({ executor }: Pick<TestServer, 'executor'>): Promise<number> {
  const [row] = await executor.db.reads<{ n: number }[]>`
    select (select count(*) from action_do.runs) + (select count(*) from action_do.events)
      + (select count(*) from action_do.attempts) + (select count(*) from action_do.commands) as n`
  return Number(row?.n)
}

/** Executes an action that is to be refused, and makes sure that nothing was recorded. */
export async function refused(server: TestServer, input: object): Promise<ExecuteAnswer> {
  const before = await recorded(server)
  const answer = await server.execute(input)
  expect(answer.run, 'a refusal has no run').toBeUndefined()
  expect(await recorded(server), 'a refusal records nothing').toBe(before)
  return answer
}

/** The codes of the errors of an answer that is to have no data, over HTTP. */
export async function errorCodes(server: TestServer, query: string, variables: object = {}): Promise<unknown[]> {
  const { body } = await server.post({ query, variables })
  const fields = Object.values(body.data ?? {}).filter((value) => value !== null)
  expect(fields, 'no field is answered').toEqual([])
  return (body.errors ?? []).map(({ extensions }) => extensions?.code)
}

/** Sends `executeAction` with raw JSON text as its input, for what `JSON.stringify` would not write. */
export function rawInput(json: string): string {
  return `{"query":${JSON.stringify(EXECUTE)},"variables":{"input":${json}}}`
}
