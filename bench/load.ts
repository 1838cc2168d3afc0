/** Load over HTTP from a process of its own. Prints the figures of one round as JSON. Arguments: url, clients, milliseconds. */
import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { PARAMS } from './baselines.ts'
import { round } from './measure.ts'
import { BENCH_KEY } from './product.ts'

const [url = '', clients = '1', ms = '1000'] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true, maxSockets: Number(clients) })
const query = `mutation($input: ExecuteActionInput!) { executeAction(input: $input) { __typename
  ... on ExecuteActionPayload { replayed run { id status result error { code message } } } ... on Error { code message } } }`

async function call(): Promise<void> {
  const variables = { input: { name: 'noop', params: PARAMS, idempotencyKey: randomUUID() } }
  const answer = await post(JSON.stringify({ query, variables }))
  if (!answer.includes('"SUCCEEDED"')) throw new Error(answer)
}

function post(body: string): Promise<string> {
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

await round({ name: 'warm-up', call }, Number(clients), Number(ms) / 2)
console.log(JSON.stringify(await round({ name: 'http', call }, Number(clients), Number(ms))))
process.exit(0)
