import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Resolve, Resolved } from '../../src/http-action/connections.ts'

const A = 1
const AAAA = 28

/** A name server of the test's own, and a resolver that asks nobody else. */
export interface NameServer {
  /** What a name means, each time it is asked for: the last list stays. */
  set(name: string, ...answers: (readonly string[])[]): void
  /** The names that were asked for A records. */
  readonly asked: string[]
  readonly resolve: Resolve
}

/** Answers over UDP (RFC 1035) on this machine until the test ends. A name that was not set does not exist. */
export async function startNameServer(): Promise<NameServer> {
  const zone = new Map<string, (readonly string[])[]>()
  const current = new Map<string, readonly string[]>()
  const asked: string[] = []
  const socket = createSocket('udp4', (query, from) => {
    const { name, type, question } = readQuestion(query)
    // each look-up asks for A first: from then on the next list counts
    if (type === A) {
      asked.push(name)
      const lists = zone.get(name) ?? []
      const next = lists.length > 1 ? lists.shift() : lists[0]
      if (next) current.set(name, next)
    }
    const addresses = (current.get(name) ?? []).filter((address) => isIPv6(address) === (type === AAAA))
    socket.send(reply(query, question, addresses, zone.has(name)), from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  onTestFinished(() => void socket.close())
  const resolver = new Resolver({ timeout: 2_000, tries: 1 })
  resolver.setServers([`127.0.0.1:${socket.address().port}`])
  return {
    set: (name, ...answers) => void zone.set(name, answers),
    asked,
    async resolve(hostname) {
      const v4 = await addresses(resolver.resolve4(hostname), 4)
      const v6 = await addresses(resolver.resolve6(hostname), 6)
      return [...v4, ...v6]
    },
  }
}

async function addresses(found: Promise<string[]>, family: number): Promise<Resolved[]> {
  try {
    return (await found).map((address) => ({ address, family }))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENODATA') return []
    throw error
  }
}

function readQuestion(query: Buffer): { name: string; type: number; question: Buffer } {
  const labels: string[] = []
  let at = 12
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('ascii', at + 1, at + 1 + length))
    at += length + 1
  }
  return {
    name: labels.join('.').toLowerCase(),
    type: query.readUInt16BE(at + 1),
    question: query.subarray(12, at + 5),
  }
}

function reply(query: Buffer, question: Buffer, addresses: readonly string[], exists: boolean): Buffer {
  const head = Buffer.alloc(12)
  query.copy(head, 0, 0, 2)
  // an answer, with recursion; 3: there is no such name
  head.writeUInt16BE(0x8180 | (exists ? 0 : 3), 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(addresses.length, 6)
  return Buffer.concat([head, question, ...addresses.map(record)])
}

function record(address: string): Buffer {
  const data = Buffer.from(isIPv6(address) ? bytesOfIPv6(address) : address.split('.').map(Number))
  const head = Buffer.alloc(12)
  // the name is that of the question
  head.writeUInt16BE(0xc00c, 0)
  head.writeUInt16BE(data.length === 4 ? A : AAAA, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

function bytesOfIPv6(address: string): number[] {
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const [left = [], right = []] = groups.map((half) => half.split(':').filter(Boolean))
  const filled = [...left, ...new Array<string>(8 - left.length - right.length).fill('0'), ...right]
  return filled.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff])
}
