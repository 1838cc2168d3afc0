import { type Client, createClient, type ExecutionResult } from 'graphql-ws'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { API_KEY, type GraphqlAnswer } from './server.ts'

/** A client of the WebSocket protocol that never reconnects, so that a test sees what the server did. */
export function webSocketClient(url: string, connectionParams: object = { apiKey: API_KEY }): Client {
  const client = createClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: { ...connectionParams },
    retryAttempts: 0,
  })
  onTestFinished(async () => {
    await client.dispose()
  })
  return client
}

/** Everything that an operation over WebSocket answers until it completes. */
export async function overWebSocket(url: string, query: string, variables = {}): Promise<ExecutionResult[]> {
  const answers: ExecutionResult[] = []
  for await (const answer of webSocketClient(url).iterate({ query, variables })) answers.push(answer as ExecutionResult)
  return answers
}

/** Everything that an operation over server-sent events answers, and whether it was completed. */
export async function overSse(
  url: string,
  query: string,
  variables = {},
): Promise<{ answers: GraphqlAnswer[]; completed: boolean }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${API_KEY}`,
    },
    body: JSON.stringify({ query, variables }),
  })
  const blocks = (await response.text()).split('\n\n')
  const dataOf = (block: string) => /^data: ?(.+)$/m.exec(block)?.[1]
  return {
    answers: blocks.flatMap((block) => (/^event: next$/m.test(block) ? [JSON.parse(dataOf(block) ?? 'null')] : [])),
    completed: blocks.some((block) => /^event: complete$/m.test(block)),
  }
}
