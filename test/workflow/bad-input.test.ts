// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the format's own
import { expect, test } from 'vitest'
import { z } from 'zod'
import { workflow } from '../../src/index.ts'
import { startWorkflowServer } from '../support/workflows.ts'
import { atRest, echo, refusedStart, stillWorks } from './bad-support.ts'

const typed = workflow('typed', { params: z.object({ email: z.email() }) }).step('a', echo)

/** A definition with these steps. */
const of = (...steps: unknown[]) => ({ name: 'bad', steps })
const step = (key: string, more: object = {}) => ({ key, action: 'echo', ...more })

/** A text that nests brackets so deep. */
const nested = (depth: number) => `${'('.repeat(depth)}1${')'.repeat(depth)}`
const deepJson = (depth: number): unknown => (depth === 0 ? 1 : { a: deepJson(depth - 1) })

/** What is wrong with a definition, where, and how it is told. */
const MISTAKES: [what: string, definition: unknown, path: string, message: RegExp][] = [
  ['steps in a circle', of(step('a', { after: ['b'] }), step('b', { after: ['a'] })), 'steps.0.after', /circle/],
  ['a step after itself', of(step('a', { after: ['a'] })), 'steps.0.after', /circle/],
  ['an unknown step', of(step('a', { after: ['none'] })), 'steps.0.after.0', /no step/],
  ['an expression on an unknown step', of(step('a', { params: { n: '${none.x}' } })), 'steps.0.params.n', /none/],
  ['an unknown action', of({ key: 'a', action: 'none' }), 'steps.0.action', /not registered/],
  ['an unknown workflow', of({ key: 'a', workflow: 'none' }), 'steps.0.workflow', /not registered/],
  ['one key twice', of(step('a'), step('a')), 'steps.1.key', /another step has already/],
  ['a reserved key', of(step('params')), 'steps.0.key', /means something else/],
  ['no steps', of(), 'steps', /not empty/],
  ['a step of two kinds', of(step('a', { sleep: 1 })), 'steps.0', /exactly one/],
  ['a member that it does not know', of(step('a', { retires: 3 })), 'steps.0.retires', /retires|no member|retry/],
  ['no name', { steps: [step('a')] }, 'name', /missing/],
  ['a text', 'onboard', '', /must be an object/],
  ['a list', [step('a')], '', /must be an object/],
  ['an expression that is never closed', of(step('a', { params: { n: '${1' } })), 'steps.0.params.n', /never closed/],
  ['an expression that does not parse', of(step('a', { when: '1 +' })), 'steps.0.when', /failed|expression/],
  ['an expression nested too deep', of(step('a', { when: nested(200) })), 'steps.0.when', /expression/],
  ['an expression that is too long', of(step('a', { when: '1'.repeat(5_000) })), 'steps.0.when', /4096|characters/],
  ['a schema that nests without end', { ...of(step('a')), paramsSchema: { $ref: '#' } }, 'paramsSchema', /./],
  ['JSON nested too deep', of(step('a', { params: deepJson(150) as object })), 'steps.0.params.a.a', /deeper/],
  ['a join of more than there is', of(step('a'), step('b', { join: 2 })), 'steps.1.join', /1 to 1/],
]

test('a definition with a mistake is refused, with its place', async () => {
  const server = await startWorkflowServer({ actions: [echo] })
  for (const [what, definition, path, message] of MISTAKES) {
    const { code, issues } = await refusedStart(server, { definition })
    expect.soft({ what, code }).toEqual({ what, code: 'INVALID_DEFINITION' })
    const told = { path: expect.stringContaining(path), message: expect.stringMatching(message) }
    expect.soft(issues, what).toContainEqual(told)
  }
  await stillWorks(server)
})

test('defineWorkflow refuses the same, and keeps what the name meant before', async () => {
  const server = await startWorkflowServer({ actions: [echo], workflows: [typed] })
  const define = async (definition: unknown) =>
    (
      await server.query<{ defineWorkflow: { code?: string; workflow?: { name: string } } }>(
        `mutation($input: DefineWorkflowInput!) { defineWorkflow(input: $input) {
          ... on DefineWorkflowPayload { workflow { name } } ... on Error { code } } }`,
        { input: { definition } },
      )
    ).defineWorkflow
  const good = { name: 'bad', steps: [{ key: 'a', value: 'as defined first' }] }
  expect(await define(good)).toEqual({ workflow: { name: 'bad' } })
  for (const [what, definition] of MISTAKES)
    expect.soft({ what, ...(await define(definition)) }).toEqual({ what, code: 'INVALID_DEFINITION' })
  expect(await define({ ...good, name: 'typed' })).toEqual({ code: 'INVALID_INPUT' })
  expect(await server.run({ name: 'bad' })).toMatchObject({ status: 'SUCCEEDED', result: 'as defined first' })
})

test('a definition is refused for its size, at once', async () => {
  const server = await startWorkflowServer({ actions: [echo] })
  const many = Array.from({ length: 100_000 }, (_, i) => ({ key: `s${i}`, value: i }))
  const large = of({ key: 'a', value: 'x'.repeat(1_100_000) })
  for (const [definition, path] of [
    [of(...many), 'steps'],
    [large, ''],
  ] as const) {
    const began = performance.now()
    const { code, issues } = await refusedStart(server, { definition })
    expect({ code, path: issues?.[0]?.path }).toEqual({ code: 'INVALID_DEFINITION', path })
    expect(performance.now() - began).toBeLessThan(5_000)
  }
  // beyond what a request may be, nobody reads it
  const { status, body } = await server.post({ query: '{ __typename }', variables: { x: 'x'.repeat(9_000_000) } })
  expect([status, body.errors?.[0]?.extensions?.code]).toEqual([413, 'PAYLOAD_TOO_LARGE'])
  await stillWorks(server)
})

test('a start that makes no sense records nothing', async () => {
  const server = await startWorkflowServer({ actions: [echo], workflows: [typed], maxParamsBytes: 2_000 })
  const definition = of(step('a'))
  const params = { email: 'ada@example.test' }
  for (const [what, input, code] of [
    ['name and definition', { name: 'typed', definition, params }, 'INVALID_INPUT'],
    ['neither', { params }, 'INVALID_INPUT'],
    ['an unknown name', { name: 'none' }, 'WORKFLOW_NOT_FOUND'],
    ['the name of an action', { name: 'echo' }, 'WORKFLOW_NOT_FOUND'],
    ['an empty name', { name: '' }, 'WORKFLOW_NOT_FOUND'],
    ['a name with NUL', { name: 'a\0b' }, 'WORKFLOW_NOT_FOUND'],
    ['params that do not fit', { name: 'typed', params: { email: 'ada' } }, 'INVALID_PARAMS'],
    ['no params', { name: 'typed' }, 'INVALID_PARAMS'],
    ['params that are null', { name: 'typed', params: null }, 'INVALID_PARAMS'],
    ['params with NUL', { definition, params: { a: 'a\0b' } }, 'INVALID_PARAMS'],
    ['params nested too deep', { definition, params: deepJson(150) }, 'INVALID_PARAMS'],
    ['params that are too large', { definition, params: { a: 'x'.repeat(2_000) } }, 'PAYLOAD_TOO_LARGE'],
    ['an empty key', { name: 'typed', params, idempotencyKey: '' }, 'INVALID_IDEMPOTENCY_KEY'],
    ['a key of 256 characters', { name: 'typed', params, idempotencyKey: 'k'.repeat(256) }, 'INVALID_IDEMPOTENCY_KEY'],
    ['a key with a line break', { name: 'typed', params, idempotencyKey: 'a\nb' }, 'INVALID_IDEMPOTENCY_KEY'],
    ['a negative wait', { name: 'typed', params, waitMs: -1 }, 'INVALID_INPUT'],
    ['a wait without end', { name: 'typed', params, waitMs: 2_000_000_000 }, 'INVALID_INPUT'],
    ['a start in a thousand years', { name: 'typed', params, runAt: '3027-01-01T00:00:00Z' }, 'INVALID_INPUT'],
  ] as const) {
    const answer = await refusedStart(server, input)
    expect.soft({ what, code: answer.code }).toEqual({ what, code })
  }
  await stillWorks(server)
})

test('a definition is the same request with and without what is for editors', async () => {
  const server = await startWorkflowServer({})
  const definition = { name: 'plain', steps: [{ key: 'a', value: 1 }] }
  const first = await server.start({ definition, idempotencyKey: 'once' })
  const withSchema = { $schema: 'http://localhost:4000/schemas/workflow.json', ...definition }
  const again = await server.start({ definition: withSchema, idempotencyKey: 'once' })
  expect(again).toMatchObject({ replayed: true, run: { id: first.run!.id } })
  const other = { ...definition, steps: [{ key: 'a', value: 2 }] }
  expect((await refusedStart(server, { definition: other, idempotencyKey: 'once' })).code).toBe('IDEMPOTENCY_MISMATCH')
})

test('a refused start uses up no key, and another intent under a used one is a mismatch', async () => {
  const server = await startWorkflowServer({ actions: [echo], workflows: [typed] })
  const key = { name: 'typed', idempotencyKey: 'order-1' }
  expect((await refusedStart(server, key)).code).toBe('INVALID_PARAMS')
  const first = await server.start({ ...key, params: { email: 'ada@example.test' } })
  expect(first).toMatchObject({ replayed: false })
  await atRest(server, first.run!.id)
  const other = await refusedStart(server, { ...key, params: { email: 'eve@example.test' } })
  expect(other.code).toBe('IDEMPOTENCY_MISMATCH')
  const again = await server.start({ ...key, params: { email: 'ada@example.test' } })
  expect(again).toMatchObject({ replayed: true, run: { id: first.run!.id } })
})
