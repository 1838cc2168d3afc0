/** Load over HTTP, from a process of its own: as light as can be, for it takes its share of the machine from those that it measures. */
import { randomUUID } from 'node:crypto'
import { Pool } from 'undici'
import { BENCH_KEY } from './bench-key.ts'
import type { Contender, Surroundings } from './contender.ts'
import { PARAMS } from './noop.ts'

export const setUp = 'undici with a kept connection for each client, and no streams'

const query = `mutation($input: ExecuteActionInput!) { executeAction(input: $input) { __typename
  ... on ExecuteActionPayload { replayed run { id status result error { code message } } } ... on Error { code message } } }`

export async function start({ arguments: { url = '' } }: Surroundings): Promise<Contender> {
  const { origin, pathname } = new URL(url)
  const pool = new Pool(origin, { pipelining: 1 })
  const post = (body: string) => send(pool, pathname, body)
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
    stop: () => pool.destroy(),
  }
}

const HEADERS = { authorization: `Bearer ${BENCH_KEY}`, 'content-type': 'application/json' }

function send(pool: Pool, path: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    pool.dispatch(
      { path, method: 'POST', headers: HEADERS, body },
      {
        // by which undici knows this kind of handler
        onRequestStart() {},
        onResponseData(_, chunk) {
          answer += chunk
        },
        onResponseEnd: () => resolve(answer),
        onResponseError: (_, error) => reject(error),
      },
    )
  })
}
