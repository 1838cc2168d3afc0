import { randomUUID } from 'node:crypto'
import { bucketOf } from '../../src/core/ids.ts'
import type { EventStream } from '../../src/events/event-stream.ts'
import { queryOf } from './notes.ts'
import { API_KEY, type TestServer } from './server.ts'
import { webSocketClient } from './subscriptions.ts'

/** An event as the subscriptions of these tests ask for it. */
export interface SeenEvent {
  runId: string
  seq: number
  from: string | null
  to: string
  reason: string
  data: unknown
}

export const WATCH = `subscription($id: ID!, $after: Int) {
  runEvents(id: $id, after: $after) { runId seq from to reason data } }`

/** Opens an event stream: a generator that ends with whether the server completed it, or only broke off. */
export type Watch = (url: string, id: string, after?: number) => AsyncGenerator<SeenEvent, 'completed' | 'broken'>

/** Over WebSocket. Leaving the generator closes the connection. */
export async function* watchWebSocket(url: string, id: string, after = 0): ReturnType<Watch> {
  const client = webSocketClient(url)
  try {
    const answers = client.iterate<{ runEvents: SeenEvent }>({ query: WATCH, variables: { id, after } })
    for await (const { data, errors } of answers) {
      if (errors) throw new Error(JSON.stringify(errors))
      if (data) yield data.runEvents
    }
    return 'completed'
  } catch (error) {
    if (isClose(error)) return 'broken'
    throw error
  } finally {
    await client.dispose()
  }
}

/** Over server-sent events. Leaving the generator closes the connection. */
export async function* watchSse(url: string, id: string, after = 0): ReturnType<Watch> {
  const connection = new AbortController()
  const response = await openSse(url, { query: WATCH, variables: { id, after } }, connection.signal)
  try {
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const message = text.slice(0, end)
        text = text.slice(end + 2)
        if (/^event: complete$/m.test(message)) return 'completed'
        const data = /^data: ?(.+)$/m.exec(message)?.[1]
        if (data) yield JSON.parse(data).data.runEvents
      }
    }
    return 'broken'
  } catch (error) {
    if (error instanceof TypeError) return 'broken'
    throw error
  } finally {
    connection.abort()
  }
}

export const TRANSPORTS: [string, Watch][] = [
  ['WebSocket', watchWebSocket],
  ['server-sent events', watchSse],
]

export async function openSse(url: string, body: object, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${API_KEY}`,
    },
    body: JSON.stringify(body),
    signal,
  })
  if (!response.ok) throw new Error(`the server answered ${response.status}`)
  return response
}

/** Everything until the stream ends. */
export async function collect(
  stream: ReturnType<Watch>,
): Promise<{ events: SeenEvent[]; ended: 'completed' | 'broken' }> {
  const events: SeenEvent[] = []
  for (;;) {
    const { done, value } = await stream.next()
    if (done) return { events, ended: value }
    events.push(value)
  }
}

export function seqsOf(events: readonly { seq: number }[]): number[] {
  return events.map(({ seq }) => seq)
}

/** 1, 2, … `last`. */
export function oneTo(last: number): number[] {
  return Array.from({ length: last }, (_, i) => i + 1)
}

/** Writes a run that has ended into the table, with so many events of so many bytes; answers with its UUID. */
export async function insertEndedRun({ databaseUrl }: TestServer, events: number, bytes = 0): Promise<string> {
  const id = randomUUID()
  const bucket = bucketOf(id)
  const own = queryOf(databaseUrl)
  await own`
    insert into action_do.runs (bucket, id, kind, name, version, effect, root_id, fingerprint, params, status, priority,
      generation, attempt, failures, losses, probe, fence, last_seq, created_at, finished_at)
    values (${bucket}, ${id}, 'ACTION', 'long', '1', 'idempotent', ${id}, '', '{}', 'SUCCEEDED', 0, 1, 1, 0, 0, false, 1,
      ${events}, now(), now())`
  await own`
    insert into action_do.written_events (bucket, root_id, seq, run_id, at, from_status, to_status, reason, data)
    select ${bucket}, ${id}, seq, ${id}, now(), 'RUNNING', 'SUCCEEDED', 'COMPLETED', to_json(repeat('x', ${bytes}))
    from generate_series(1, ${events}) seq`
  return id
}

/** The subscriptions that a node keeps open. */
export function openStreams({ executor }: TestServer): EventStream[] {
  return [...(Reflect.get(executor.streams, 'open') as Set<EventStream>)]
}

function isClose(error: unknown): error is { code: number } {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 1012
}
