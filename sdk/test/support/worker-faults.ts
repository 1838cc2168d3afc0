import type { Fault, Field } from './worker-server.ts'

/** The request arrives and is done; its answer does not come back. */
export const loseAnswer: Fault = async (process) => {
  await process()
  throw new TypeError('fetch failed')
}

/** A member of the result union, in the place of what the server would say. */
export function answerWith(field: Field, member: object): Fault {
  return async () => Response.json({ data: { [field]: member } })
}

export function status(code: number, headers: Record<string, string> = {}): Fault {
  return async () => new Response('', { status: code, headers })
}
