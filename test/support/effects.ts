import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** One call that arrived. It counts, whether or not it is ever answered: the effect has happened. */
interface EffectCall {
  readonly what: string
  /** The downstream idempotency key that it carried. */
  readonly key: string
  /** Which process called. */
  readonly node: string
  /** Lets the answer go to a call that is held back. */
  answer(): void
}

/** The outside world of the tests: it counts what it is asked to do, and answers when the test says so. */
export interface Effects {
  readonly url: string
  /** What arrived so far, in order. */
  of(what: string): readonly EffectCall[]
  /** The `nth` call of this kind, counted from 1, once it has arrived. */
  arrived(what: string, nth?: number): Promise<EffectCall>
  /** From now on the answers to calls of this kind are held back, each until its `answer()`. */
  hold(what: string): void
  /** No longer; those held back are answered. */
  release(what: string): void
}

export async function startEffects(): Promise<Effects> {
  const calls: EffectCall[] = []
  const held = new Set<string>()
  let waiters: { what: string; nth: number; resolve: (call: EffectCall) => void }[] = []
  const of = (what: string) => calls.filter((call) => call.what === what)

  const server = createServer((request, response) => {
    const what = request.url?.slice(1) ?? ''
    const header = (name: string) => String(request.headers[name] ?? '')
    const call = { what, key: header('idempotency-key'), node: header('x-node'), answer: () => answer(response) }
    calls.push(call)
    if (!held.has(what)) call.answer()
    waiters = waiters.filter(({ what, nth, resolve }) => {
      const found = of(what)[nth - 1]
      if (found) resolve(found)
      return !found
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    of,
    arrived: (what, nth = 1) =>
      new Promise((resolve) => {
        const found = of(what)[nth - 1]
        if (found) resolve(found)
        else waiters.push({ what, nth, resolve })
      }),
    hold: (what) => held.add(what),
    release(what) {
      held.delete(what)
      for (const call of of(what)) call.answer()
    },
  }
}

function answer(response: ServerResponse): void {
  if (!response.writableEnded) response.writeHead(204).end()
}
