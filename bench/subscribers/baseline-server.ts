/**
 * Bare graphql-ws over graphql-js, as their documentation sets them up, delivering the same events from memory. Argument: the
 * ids of the runs, as JSON.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buildSchema, type GraphQLScalarType } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import { answerCalls, usage } from './children.ts'
import type { Batch } from './writer.ts'

const schema = buildSchema(`
  scalar JSON
  scalar DateTime
  enum RunStatus { RUNNING SUCCEEDED }
  enum RunEventReason { SUBMITTED COMPLETED }
  type RunEvent { runId: ID! seq: Int! at: DateTime! step: String from: RunStatus to: RunStatus! reason: RunEventReason! attempt: Int data: JSON }
  type Query { nothing: Int }
  type Subscription { runEvents(id: ID!, after: Int = 0): RunEvent! }`)
const dateTime = schema.getType('DateTime') as GraphQLScalarType
dateTime.serialize = (value) => (value as Date).toISOString()

interface Source {
  readonly events: object[]
  readonly listeners: Set<(event: object) => void>
}

const sources = new Map<string, Source>()
const ids: string[] = JSON.parse(process.argv[2] ?? '[]')
for (const id of ids) sources.set(id, { events: [eventOf(id, 1, 'SUBMITTED', {})], listeners: new Set() })

function eventOf(runId: string, seq: number, reason: string, data: object) {
  const step = seq === 1 ? null : 'step'
  return { runId, seq, at: new Date(), step, from: 'RUNNING', to: 'SUCCEEDED', reason, attempt: 1, data }
}

/** What is after the cursor, then what comes. */
function watch(id: string, after: number): AsyncIterableIterator<{ runEvents: object }> {
  const { events, listeners } = sources.get(id)!
  const queue = events.slice(after)
  let wake: (() => void) | undefined
  const listener = (event: object) => {
    queue.push(event)
    wake?.()
  }
  listeners.add(listener)
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      if (queue.length === 0)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      return { done: false, value: { runEvents: queue.shift()! } }
    },
    async return() {
      listeners.delete(listener)
      return { done: true, value: undefined }
    },
  }
}

function publish({ runs, writtenMs }: Batch): void {
  for (const run of runs) {
    const id = ids[run]!
    const { events, listeners } = sources.get(id)!
    const event = eventOf(id, events.length + 1, 'COMPLETED', { t: writtenMs })
    events.push(event)
    for (const listener of listeners) listener(event)
  }
}

const http = createServer()
const roots = { subscription: { runEvents: ({ id, after }: { id: string; after: number }) => watch(id, after) } }
useServer({ schema, roots }, new WebSocketServer({ server: http, path: '/graphql' }))
await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/graphql`

answerCalls({ url: () => url, usage, publish })
