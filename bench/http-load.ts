/** Load over HTTP, from a process of its own. */
import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { BENCH_KEY } from './bench-key.ts'
import type { Contender, Surroundings } from './contender.ts'
import { PARAMS } from './noop.ts'

export const setUp = 'node:http with kept connections'

const query = `mutation($input: ExecuteActionInput!) { executeAction(input: $input) { __typename
  ... on ExecuteActionPayload { replayed run { id status result error { code message } } } ... on Error { code message } } }`

export async function start({ arguments: { url = '' } }: Surroundings): Promise<Contender> {
  const agent = new Agent({ keepAlive: true })
  const post = (body: string) => send(agent, url, body)
  return {
    calls: {
      async graphql() {
        const variables = { input: { name: 'noop', params: PARAMS, idempotencyKey: randomUUID() } }
        const answer = await post(JSON.stringify({ query, variables }))
        if (!answer.includes('"SUCCEEDED"')) throw new Error(answer)
      },
      async plain() {
        const answer = await post(JSON.stringify({ key: randomUUID(), params: PARAMS }))
        if (answer !== '{"result":{"ok":true}}') throw new Error(answer)
      },
    },
    stop: async () => agent.destroy(),
  }
}

function send(agent: Agent, url: string, body: string): Promise<string> {
  const headers = {
    authorization: `Bearer ${BENCH_KEY}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  }
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers }, (answer) => text(answer).then(resolve, reject))
    sent.on('error', reject).end(body)
  })
}
