/** All subscribers, in a process of their own. Each checks that its events come densely. Reports every 500th delivery. */
import { randomUUID } from 'node:crypto'
import { BENCH_KEY } from '../bench-key.ts'
import { answerCalls } from './children.ts'
import { openSocket, type TextSocket } from './socket.ts'
import { nowMs, WATCH } from './workload.ts'

export interface Subscribe {
  url: string
  ids: readonly string[]
  subscribers: number
  sockets: number
}

/** What has arrived since the last look. */
export interface Delivered {
  deliveries: number
  /** Of these, since the begin: all that came, how often events were skipped, and events that came twice. */
  total: number
  gaps: number
  duplicates: number
  /** From just before the write to the arrival, in milliseconds. */
  p50Ms: number
  p99Ms: number
}

const REPORT_EVERY = 500
const CONNECT_AT_ONCE = 50

const sockets: TextSocket[] = []
const lastSeqs = new Map<string, number>()
let latencies: number[] = []
let total = 0
let deliveries = 0
let gaps = 0
let duplicates = 0

const ACKNOWLEDGED = '{"type":"connection_ack"'
const NEXT = /^\{"id":"([^"]+)","type":"next".*"seq":(\d+).*"t":([\d.]+)/

function received(text: string): void {
  const [, id, seq, writtenMs] = NEXT.exec(text) ?? []
  if (id === undefined) first(text)
  else {
    latencies.push(nowMs() - Number(writtenMs))
    deliver(id, Number(seq))
  }
}

/** The event that was there before has no time in it. */
function first(text: string): void {
  const { type, id, payload } = JSON.parse(text)
  if (type === 'ping') return
  if (type !== 'next' || payload.data?.runEvents?.seq !== 1) throw new Error(text)
  deliver(id, 1)
}

function deliver(id: string, seq: number): void {
  const expected = (lastSeqs.get(id) ?? 0) + 1
  if (seq > expected) gaps++
  if (seq < expected) duplicates++
  lastSeqs.set(id, seq)
  deliveries++
  if (++total % REPORT_EVERY === 0) process.send?.(total)
}

async function subscribe({ url, ids, subscribers, sockets: count }: Subscribe): Promise<void> {
  const address = new URL(url)
  for (let begun = 0; begun < count; begun += CONNECT_AT_ONCE) {
    const some = Array.from({ length: Math.min(CONNECT_AT_ONCE, count - begun) }, (_, i) => begun + i)
    await Promise.all(
      some.map(async (i) => {
        const socket = await openAcknowledged(address)
        sockets.push(socket)
        for (let n = i; n < subscribers; n += count) subscribeTo(socket, ids[n % ids.length]!)
      }),
    )
  }
}

function openAcknowledged(url: URL): Promise<TextSocket> {
  return new Promise((resolve, reject) => {
    const opened = openSocket(url, (text) => {
      if (text.startsWith(ACKNOWLEDGED)) opened.then(resolve)
      else received(text)
    })
    opened.then(
      (socket) => socket.send(JSON.stringify({ type: 'connection_init', payload: { apiKey: BENCH_KEY } })),
      reject,
    )
  })
}

function subscribeTo(socket: TextSocket, id: string): void {
  const payload = { query: WATCH, variables: { id, after: 0 } }
  socket.send(JSON.stringify({ id: randomUUID(), type: 'subscribe', payload }))
}

function take(): Delivered {
  const sorted = Float64Array.from(latencies).sort()
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN
  const taken = { deliveries, total, gaps, duplicates, p50Ms: at(0.5), p99Ms: at(0.99) }
  latencies = []
  deliveries = 0
  return taken
}

function leave(): void {
  for (const socket of sockets) socket.close()
}

answerCalls({ subscribe, take, leave, total: () => total })
