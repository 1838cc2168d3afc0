import { expect, test } from 'vitest'
import { z } from 'zod'
import { action, NonRetryableError, type Workflow, workflow } from '../../src/index.ts'
import { AT_ONCE } from '../support/control.ts'
import { testDatabase } from '../support/database.ts'
import { logStatements } from '../support/statements.ts'
import { startWorkflowServer } from '../support/workflows.ts'

/** All that the pages of a run show. */
const RUN = `query($id: ID!) { run(id: $id) { ... on WorkflowRun { id status forkedFrom { id } workflow { mermaid }
  steps { key index dependsOn status params result durationMs error { message } attempts { number durationMs error { message } }
    run { id parent { id } linkedRun { id } compensation { status attempts { number } } waitsFor blockedBy
      events { seq reason data } } }
  events(first: 1000) { seq } } } }`

interface Answer {
  run: { steps: { attempts: unknown[]; run: { events: unknown[]; compensation: unknown; linkedRun: unknown } }[] }
}

const flaky = action('flaky', {
  params: z.looseObject({}),
  retry: { maxAttempts: 2, backoff: AT_ONCE },
  run: ({ attempt, params }) => {
    if (params.broken) throw new NonRetryableError('broken')
    if (attempt === 1) throw new Error('once')
    return {}
  },
  compensate: () => {},
})

/** As many steps of each kind: undone, shared, run by a list. */
function order(name: string, n: number): Workflow {
  let w = workflow(name, { onError: 'compensate' }) as unknown as {
    step(key: string, target: typeof flaky, input: () => object, options?: object): typeof w
    forEach(key: string, items: () => unknown[], target: typeof flaky, input: () => object): typeof w
  }
  for (let i = 0; i < n; i++)
    w = w
      .step(`own-${i}`, flaky, () => ({}))
      .step(`shared-${i}`, flaky, () => ({}), { idempotencyKey: () => `${name}-${i}` })
      .forEach(
        `list-${i}`,
        () => [1, 2],
        flaky,
        () => ({}),
      )
  return w.step('last', flaky, () => ({ broken: true })) as unknown as Workflow
}

test('a run with all of its steps takes the same few statements however many there are', async () => {
  const workflows = [1, 5, 20].map((n) => order(`order-${n}`, n))
  const databaseUrl = await testDatabase()
  const server = await startWorkflowServer({ databaseUrl, workflows })
  const log = await logStatements(databaseUrl)
  const options = { databaseUrl: log.databaseUrl, role: 'api', pollMs: 60_000, notify: 'on' } as const
  const node = await startWorkflowServer({ ...options, workflows })
  const counts: number[] = []
  for (const n of [1, 5, 20]) {
    const { id, status } = await server.run({ name: `order-${n}` })
    expect(status).toBe('COMPENSATED')
    await node.query(RUN, { id })
    const before = log.statements.length
    const { run } = await node.query<Answer>(RUN, { id })
    counts.push(log.statements.length - before)
    expect(run.steps).toHaveLength(5 * n + 1)
    const acting = run.steps.filter(({ attempts }) => attempts.length > 0)
    expect(acting).toHaveLength(3 * n + 1)
    expect(run.steps.filter(({ run }) => run.compensation)).toHaveLength(4 * n)
    expect(run.steps.filter(({ run }) => run.linkedRun)).toHaveLength(n)
  }
  expect(new Set(counts).size, `${counts}`).toBe(1)
  expect(counts[0]).toBeLessThan(15)
})
