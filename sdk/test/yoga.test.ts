import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { GraphQLError } from 'graphql'
import { createSchema, createYoga } from 'graphql-yoga'
import { expect, it, onTestFinished } from 'vitest'
import { Do } from '../src/index.ts'
import { CONTRACT } from './support/contract.ts'
import { wireEvent, wireRun } from './support/fake-server.ts'

/** GraphQL over HTTP and SSE as the server's own library speaks it. */
async function yogaServer(runEvents: (id: string, after: number) => AsyncIterable<object>): Promise<Do> {
  const reason = 'STARTED'
  const schema = createSchema({
    typeDefs: CONTRACT.replace('enum RunStatus { QUEUED }', 'enum RunStatus { QUEUED RUNNING SUCCEEDED FAILED }'),
    resolvers: {
      Query: { run: (_, { id }: { id: string }) => (id === 'run_1' ? wireRun() : null) },
      Mutation: {
        executeAction: (_, { input }: { input: { name: string } }) =>
          input.name === 'greet'
            ? { __typename: 'ExecuteActionPayload', run: wireRun(), replayed: false }
            : { __typename: 'ActionNotFoundError', code: 'ACTION_NOT_FOUND', message: 'no such action' },
        cancelRun: () => ({
          __typename: 'InvalidTransitionError',
          code: 'ACTION_NOT_FOUND',
          message: 'ended',
          status: 'SUCCEEDED',
        }),
      },
      Subscription: {
        runEvents: {
          subscribe: (_: unknown, { id, after }: { id: string; after: number }) => {
            if (id !== 'run_1') throw new GraphQLError('no such run', { extensions: { code: 'RUN_NOT_FOUND' } })
            return runEvents(id, after)
          },
          resolve: (event: object) => ({ reason, ...event }),
        },
      },
    },
  })
  const server = createServer(createYoga({ schema, logging: false }))
  await new Promise<void>((resolve) => server.listen(0, resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return new Do({ url: `http://localhost:${(server.address() as AddressInfo).port}` })
}

it('speaks with graphql-yoga', async () => {
  const client = await yogaServer(async function* () {})
  expect(await client.action.execute({ name: 'greet' })).toMatchObject({ result: { greeting: 'hello' } })
  expect((await client.action.execute({ name: 'nobody' })).error?.code).toBe('ACTION_NOT_FOUND')
  expect((await client.run.get('run_1')).run).toMatchObject({ kind: 'ACTION', lastSeq: 1 })
  expect((await client.run.get('run_2')).error?.code).toBe('RUN_NOT_FOUND')
  expect((await client.run.cancel('run_1')).error).toMatchObject({ details: { status: 'SUCCEEDED' } })
})

it('watches what graphql-yoga streams, over a stream that breaks', async () => {
  const client = await yogaServer(async function* (_, after) {
    yield wireEvent(after + 1)
    if (after === 0) throw new GraphQLError('stopping', { extensions: { code: 'SERVICE_UNAVAILABLE' } })
    yield wireEvent(after + 2, { to: 'SUCCEEDED' })
  })
  const seen: object[] = []
  for await (const event of client.run.watch('run_1')) seen.push(event)
  expect(seen).toMatchObject([{ seq: 1 }, { seq: 2 }, { seq: 3, to: 'SUCCEEDED' }])
  await expect(client.run.watch('run_2').next()).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' })
})

it('lets the server know when the loop is left', async () => {
  let left = (): void => {}
  const returned = new Promise<void>((resolve) => {
    left = resolve
  })
  const client = await yogaServer(() => {
    let seq = 0
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => (seq === 0 ? Promise.resolve({ done: false, value: wireEvent(++seq) }) : new Promise(() => {})),
        return: () => {
          left()
          return Promise.resolve({ done: true as const, value: undefined })
        },
      }),
    }
  })
  for await (const _ of client.run.watch('run_1')) break
  await returned
})
