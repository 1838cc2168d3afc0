import { describe, expect, it, vi } from 'vitest'
import { Do } from '../src/index.ts'
import { fakeServer, json, payload, wireRun } from './support/fake-server.ts'

const running = wireRun({ __typename: 'WorkflowRun', status: 'RUNNING', result: null })

describe('workflow.start', () => {
  it('answers with the run as soon as it is recorded', async () => {
    const server = await fakeServer((_, response) => json(response, payload('startWorkflow', running)))
    const answer = await new Do({ url: server.url }).workflow.start({ name: 'onboard', params: { email: 'a@b.c' } })
    expect(answer).toMatchObject({
      run: { kind: 'WORKFLOW', status: 'RUNNING' },
      runId: 'run_1',
      replayed: false,
      error: undefined,
    })
    expect(server.requests[0]?.variables.input).toEqual({
      name: 'onboard',
      params: { email: 'a@b.c' },
      waitMs: 0,
      idempotencyKey: expect.any(String),
    })
  })

  it('takes a definition as data', async () => {
    const server = await fakeServer((_, response) => json(response, payload('startWorkflow', running)))
    await new Do({ url: server.url }).workflow.start({ definition: { steps: [] }, params: 1 })
    expect(server.requests[0]?.variables.input).toMatchObject({ definition: { steps: [] }, params: 1 })
  })

  it('waits when asked to, and a wait that runs out is no error', async () => {
    const server = await fakeServer((request, response) => {
      setTimeout(() => json(response, payload('startWorkflow', running, true)), Number(request.variables.input.waitMs))
    })
    const answer = await new Do({ url: server.url }).workflow.start({
      name: 'onboard',
      idempotencyKey: 'k',
      waitMs: 100,
    })
    expect(answer).toMatchObject({ run: { status: 'RUNNING' }, replayed: true, error: undefined })
  })

  it('keeps its key over lost requests', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    const server = await fakeServer((_, response, n) =>
      n < 2 ? void response.destroy() : json(response, payload('startWorkflow', running, true)),
    )
    expect(await new Do({ url: server.url }).workflow.start({ name: 'onboard' })).toMatchObject({ replayed: false })
    expect(new Set(server.requests.map((request) => request.variables.input.idempotencyKey)).size).toBe(1)
    vi.restoreAllMocks()
  })

  it('gives a refusal as an error', async () => {
    const refusal = { code: 'INVALID_INPUT', message: 'a circle', inputPath: 'definition.steps.2' }
    const server = await fakeServer((_, response) => json(response, { data: { startWorkflow: refusal } }))
    const { run, error } = await new Do({ url: server.url }).workflow.start({ definition: {} })
    expect(run).toBeUndefined()
    expect(error).toMatchObject({ code: 'INVALID_INPUT', details: { path: 'definition.steps.2' } })
  })
})

describe('workflow.define', () => {
  const workflow = { name: 'greet', version: '1', description: null, graph: 'abc', mermaid: 'flowchart TD' }

  it('gives the workflow, and repeats a lost request', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    const server = await fakeServer((_, response, n) =>
      n === 0 ? void response.destroy() : json(response, { data: { defineWorkflow: { workflow } } }),
    )
    const definition = { name: 'greet', steps: [] }
    expect(await new Do({ url: server.url }).workflow.define(definition)).toEqual({ workflow, error: undefined })
    expect(server.requests.map(({ variables }) => variables.input)).toEqual([{ definition }, { definition }])
    vi.restoreAllMocks()
  })

  it('gives each mistake of the definition', async () => {
    const issues = [{ path: 'steps.0', message: 'has nothing to do' }]
    const refusal = { code: 'INVALID_DEFINITION', message: 'not valid', issues }
    const server = await fakeServer((_, response) => json(response, { data: { defineWorkflow: refusal } }))
    const { workflow, error } = await new Do({ url: server.url }).workflow.define({})
    expect(workflow).toBeUndefined()
    expect(error).toMatchObject({ code: 'INVALID_DEFINITION', issues, retryable: false })
  })
})
