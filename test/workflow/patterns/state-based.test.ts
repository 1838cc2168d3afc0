import { expect, test } from 'vitest'
import { z } from 'zod'
import { workflow } from '../../../src/index.ts'
import { begin, does, ends, holds, reaches, signal, stage } from '../../support/stage.ts'
import { startWorkflowServer, statesOf } from '../../support/workflows.ts'

/** Two events are waited for, and a time; whichever comes first decides, and the others are withdrawn. */
function deferred({ task }: ReturnType<typeof stage>) {
  return workflow('w')
    .signal('yes', { after: [] })
    .signal('no', { after: [] })
    .sleep('late', 60_000, { after: [] })
    .value('came', ({ yes, no }) => (yes !== undefined ? 'yes' : no !== undefined ? 'no' : 'late'), {
      ...{ after: ['yes', 'no', 'late'], join: 'any', others: 'cancel' },
    })
    .step('ship', task, does('ship'), { after: ['came'], when: ({ came }) => came === 'yes' })
    .step('refuse', task, does('refuse'), { after: ['came'], when: ({ came }) => came !== 'yes' })
    .result(({ came }) => came)
}

test('16 Deferred Choice: the event that comes first chooses the branch, and the others are withdrawn', async () => {
  const played = stage()
  const server = await startWorkflowServer({ workflows: [deferred(played)] })
  const id = await begin(server, { name: 'w' })
  expect(statesOf(await server.look(id))).toMatchObject({ yes: 'WAITING', no: 'WAITING', late: 'WAITING' })
  await signal(server, id, 'no')
  const run = await ends(server, id)
  expect(run.result).toBe('no')
  expect(statesOf(run)).toEqual({
    ...{ yes: 'CANCELED', no: 'SUCCEEDED', late: 'CANCELED', came: 'SUCCEEDED', ship: 'SKIPPED', refuse: 'SUCCEEDED' },
  })
  expect(played.log).toEqual(['+refuse', '-refuse'])
  const second = await begin(server, { name: 'w' })
  server.advance(60_001)
  await expect.poll(async () => (await server.look(second)).result, { timeout: 10_000 }).toBe('late')
})

/** That each task ended before the next one began. */
function expectOneAtATime(log: readonly string[]) {
  for (let i = 0; i < log.length; i += 2) expect([log[i], log[i + 1]]).toEqual([log[i], log[i]?.replace('+', '-')])
}

/** One at a time, in this run. */
const alone = { limit: { key: 'alone', max: 1, scope: 'run' } } as const

test('17 Interleaved Parallel Routing: in any order that keeps the partial one, never two at once', async () => {
  const { task, log } = stage()
  const w = workflow('w')
    .step('a1', task, does('a1'), { after: [], ...alone })
    .step('a2', task, does('a2'), { after: ['a1'], ...alone })
    .step('b1', task, does('b1'), { after: [], ...alone })
    .step('b2', task, does('b2'), { after: ['b1'], ...alone })
    .step('end', task, does('end'), { after: ['a2', 'b2'] })
  const server = await startWorkflowServer({ workflows: [w] })
  await server.run({ name: 'w' })
  expect(log.filter((entry) => entry.startsWith('+')).sort()).toEqual(['+a1', '+a2', '+b1', '+b2', '+end'])
  expectOneAtATime(log)
  expect(log.indexOf('+a2')).toBeGreaterThan(log.indexOf('-a1'))
  expect(log.indexOf('+b2')).toBeGreaterThan(log.indexOf('-b1'))
})

test('40 Interleaved Routing: each task once, in whatever order, never two at once', async () => {
  const { task, log, release, begun } = stage()
  const w = workflow('w')
    .step('a', task, holds('a'), { after: [], ...alone })
    .step('b', task, holds('b'), { after: [], ...alone })
    .step('c', task, holds('c'), { after: [], ...alone })
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  await expect.poll(() => log).toHaveLength(1)
  expect(Object.values(statesOf(await server.look(id))).sort()).toEqual(['RUNNING', 'WAITING', 'WAITING'])
  for (const name of ['a', 'b', 'c']) release(name)
  await begun('a', 'b', 'c')
  await ends(server, id)
  expect(log).toHaveLength(6)
  expectOneAtATime(log)
})

test('39 Critical Section: of two parts of the process, each of several tasks, one at a time is entered', async () => {
  const { task, log, release } = stage()
  const section = workflow('section', { params: z.object({ of: z.string() }) })
    .step('enter', task, ({ params }) => ({ name: `enter ${params.of}` }))
    .step('leave', task, ({ params }) => ({ name: `leave ${params.of}`, hold: true }))
  const w = workflow('w')
    .step('a', section, () => ({ of: 'a' }), { after: [], ...alone })
    .step('b', section, () => ({ of: 'b' }), { after: [], ...alone })
    .step('beside', task, does('beside'), { after: [] })
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  await reaches(server, id, { beside: 'SUCCEEDED' })
  await expect.poll(() => log.filter((entry) => entry.startsWith('+leave'))).toHaveLength(1)
  expect(log.filter((entry) => entry.startsWith('+enter'))).toHaveLength(1)
  release('leave a')
  release('leave b')
  await ends(server, id)
  const inside = log.filter((entry) => entry.startsWith('+') && entry !== '+beside').map((entry) => entry.at(-1))
  expect([['a', 'a', 'b', 'b'].join(), ['b', 'b', 'a', 'a'].join()]).toContain(inside.join())
})

/** An order may be changed after it was opened, and before it is closed. */
function milestone({ task }: ReturnType<typeof stage>) {
  return workflow('w')
    .signal('open')
    .signal('change', { after: ['open'], transient: true })
    .step('apply', task, does('apply'), { after: ['change'] })
    .signal('close', { after: ['open'], cancels: ['change'] })
    .signal('ship', { after: ['close'] })
}

test('18 Milestone: a task is possible in one state of the process only: not before, and not after', async () => {
  const played = stage()
  const server = await startWorkflowServer({ workflows: [milestone(played)] })
  const id = await begin(server, { name: 'w' })
  await signal(server, id, 'change')
  await signal(server, id, 'open')
  expect(statesOf(await server.look(id))).toMatchObject({ change: 'WAITING' })
  await signal(server, id, 'change')
  await reaches(server, id, { apply: 'SUCCEEDED', close: 'WAITING' })
  await signal(server, id, 'close')
  await signal(server, id, 'ship')
  await ends(server, id)
  expect(played.log).toEqual(['+apply', '-apply'])

  const second = await begin(server, { name: 'w' })
  await signal(server, second, 'open')
  await signal(server, second, 'close')
  await signal(server, second, 'change')
  await signal(server, second, 'ship')
  expect(statesOf(await ends(server, second))).toMatchObject({ change: 'CANCELED', apply: 'SKIPPED' })
  expect(played.log.filter((entry) => entry === '+apply')).toHaveLength(1)
})
