import { expect, test } from 'vitest'
import { queryOf } from '../support/notes.ts'
import { startWorkflowServer } from '../support/workflows.ts'

const definition = (name: string, called: string) => ({
  name,
  steps: [{ key: 'called', workflow: called }],
})

test('a definition may call any of thousands of others, and is refused for those alone that are not there', async () => {
  const server = await startWorkflowServer({})
  const define = async (one: object) =>
    (
      await server.query<{ defineWorkflow: { __typename: string; issues?: { path: string; message: string }[] } }>(
        `mutation($input: DefineWorkflowInput!) { defineWorkflow(input: $input) { __typename
          ... on InvalidDefinitionError { issues { path message } } } }`,
        { input: { definition: one } },
      )
    ).defineWorkflow
  const value = { name: 'zz-last', steps: [{ key: 'one', value: 1 }] }
  expect(await define(value)).toEqual({ __typename: 'DefineWorkflowPayload' })
  // others, that stand before it in every list
  await queryOf(server.databaseUrl)`
    with others as (
      insert into action_do.graphs (hash, name, graph, created_at)
      select g.hash || i, 'other-' || i, replace(g.graph::text, 'zz-last', 'other-' || i)::json, g.created_at
      from action_do.graphs g cross join generate_series(1, 3000) i
      where g.name = 'zz-last' returning hash, name, created_at
    )
    insert into action_do.workflow_definitions (name, graph, defined_at, actor)
    select name, hash, created_at, 'somebody' from others`
  const run = await server.run({ definition: definition('caller', 'zz-last') })
  expect(run).toMatchObject({ status: 'SUCCEEDED' })
  const twoCalls = { name: 'two', steps: [...definition('', 'zz-last').steps, { key: 'none', workflow: 'zz-none' }] }
  expect(await define(twoCalls)).toEqual({
    __typename: 'InvalidDefinitionError',
    issues: [{ path: 'steps.1.workflow', message: 'is "zz-none", which is not registered' }],
  })
})
