import { expect, test } from 'vitest'
import { z } from 'zod'
import { workflow } from '../../../src/index.ts'
import { begin, does, ends, holds, inside, reaches, signal, stage } from '../../support/stage.ts'
import { startWorkflowServer, statesOf } from '../../support/workflows.ts'

const chosen = z.object({ take: z.array(z.string()) })

test('6 Multi-Choice: as many branches are taken as have a condition that holds', async () => {
  const { task, log } = stage()
  const w = workflow('w', { params: chosen })
    .step('a', task, does('a'), { after: [], when: ({ params }) => params.take.includes('a') })
    .step('b', task, does('b'), { after: [], when: ({ params }) => params.take.includes('b') })
    .step('c', task, does('c'), { after: [], when: ({ params }) => params.take.includes('c') })
  const server = await startWorkflowServer({ workflows: [w] })
  const both = await server.run({ name: 'w', params: { take: ['a', 'c'] } })
  expect(statesOf(both)).toEqual({ a: 'SUCCEEDED', b: 'SKIPPED', c: 'SUCCEEDED' })
  expect([...log].sort()).toEqual(['+a', '+c', '-a', '-c'])
  const none = await server.run({ name: 'w', params: { take: [] } })
  expect(statesOf(none)).toEqual({ a: 'SKIPPED', b: 'SKIPPED', c: 'SKIPPED' })
})

test('7 Structured Synchronizing Merge: the merge waits for the branches that were taken, and for no other', async () => {
  const { task, log, release, begun } = stage()
  const w = workflow('w', { params: chosen })
    .step('a', task, holds('a'), { after: [], when: ({ params }) => params.take.includes('a') })
    .step('b', task, does('b'), { after: [], when: ({ params }) => params.take.includes('b') })
    .step('c', task, does('c'), { after: [], when: ({ params }) => params.take.includes('c') })
    .step('merge', task, does('merge'), { after: ['a', 'b', 'c'] })
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w', params: { take: ['a', 'b'] } })
  await begun('a')
  expect(statesOf(await reaches(server, id, { b: 'SUCCEEDED' }))).toMatchObject({ c: 'SKIPPED', merge: 'PENDING' })
  release('a')
  await ends(server, id)
  expect(log.slice(-2)).toEqual(['+merge', '-merge'])
  expect(log.filter((entry) => entry === '+merge')).toHaveLength(1)
})

test('8 Multi-Merge (partly): what follows the branches is a workflow that each of them calls, without waiting', async () => {
  const { task, log, release } = stage()
  const tail = workflow('tail', { params: z.object({ of: z.string() }) }).step('t', task, ({ params }) => ({
    name: `tail of ${params.of}`,
  }))
  const w = workflow('w')
    .step('a', task, does('a'), { after: [] })
    .step('b', task, holds('b'), { after: [] })
    .step('tailA', tail, () => ({ of: 'a' }), { after: ['a'] })
    .step('tailB', tail, () => ({ of: 'b' }), { after: ['b'] })
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  await reaches(server, id, { tailA: 'SUCCEEDED', b: 'RUNNING', tailB: 'PENDING' })
  release('b')
  await ends(server, id)
  expect(log.filter((entry) => entry.startsWith('+tail'))).toEqual(['+tail of a', '+tail of b'])
})

test('9 Structured Discriminator: the first branch triggers what follows, the others end unheard, and then it is reset', async () => {
  const { task, log, release, begun } = stage()
  const round = workflow('round', { params: z.object({ n: z.number() }) })
    .step('a', task, ({ params }) => ({ name: `a${params.n}`, hold: true }), { after: [] })
    .step('b', task, ({ params }) => ({ name: `b${params.n}`, hold: true }), { after: [] })
    .step('next', task, ({ params }) => ({ name: `next${params.n}` }), { after: ['a', 'b'], join: 'any' })
  const w = workflow('w').repeat('rounds', round, (_, { index }) => ({ n: index }), {
    until: (_, { index }) => index === 1,
    max: 9,
  })
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  await begun('a0', 'b0')
  release('b0')
  await expect.poll(() => log).toContain('-next0')
  expect(statesOf(await server.look(id))).toMatchObject({ 'rounds[0]': 'RUNNING' })
  expect(log).not.toContain('+a1')
  release('a0')
  await begun('a1', 'b1')
  release('a1')
  release('b1')
  await ends(server, id)
  expect(log.filter((entry) => entry.startsWith('+next'))).toEqual(['+next0', '+next1'])
})

/** Branches that signals end, again and again; `need` of them trigger what follows. */
function rounds(names: readonly ['a', 'b', 'c'], need: number | 'all', { task }: ReturnType<typeof stage>) {
  const [a, b, c] = names
  const round = workflow('round', { params: z.object({ n: z.number() }) })
    .signal(a, { after: [] })
    .signal(b, { after: [] })
    .signal(c, { after: [] })
    .step('next', task, ({ params }) => ({ name: `next${params.n}` }), { after: [a, b, c], join: need })
  return workflow('w').repeat('rounds', round, (_, { index }) => ({ n: index }), {
    until: (_, { index }) => index === 1,
    max: 9,
  })
}

const ABC = ['a', 'b', 'c'] as const

test('28 Blocking Discriminator: a branch that comes again before the reset is held back until then', async () => {
  const played = stage()
  const server = await startWorkflowServer({ workflows: [rounds(ABC, 1, played)] })
  const id = await begin(server, { name: 'w' })
  await signal(server, id, 'a')
  await expect.poll(() => played.log).toContain('-next0')
  await signal(server, id, 'a')
  await signal(server, id, 'b')
  expect(statesOf(await server.look(id))).toEqual({ rounds: 'RUNNING', 'rounds[0]': 'RUNNING' })
  expect(await inside(server, id, 'rounds', 0)).toMatchObject({ a: 'SUCCEEDED', b: 'SUCCEEDED', c: 'WAITING' })
  await signal(server, id, 'c')
  // the reset lets the second `a` in, which triggers the second round without another signal
  await expect.poll(() => played.log).toEqual(['+next0', '-next0', '+next1', '-next1'])
  await signal(server, id, 'b')
  await signal(server, id, 'c')
  await ends(server, id)
})

test('31 Blocking Partial Join: the n-th branch triggers, and what comes again is held back until all came', async () => {
  const played = stage()
  const server = await startWorkflowServer({ workflows: [rounds(ABC, 2, played)] })
  const id = await begin(server, { name: 'w' })
  await signal(server, id, 'a')
  await signal(server, id, 'a')
  expect(await inside(server, id, 'rounds', 0)).toMatchObject({ b: 'WAITING', c: 'WAITING', next: 'PENDING' })
  await signal(server, id, 'c')
  await expect.poll(() => played.log).toEqual(['+next0', '-next0'])
  await signal(server, id, 'c')
  expect(statesOf(await server.look(id))).toEqual({ rounds: 'RUNNING', 'rounds[0]': 'RUNNING' })
  await signal(server, id, 'b')
  await expect.poll(() => played.log).toEqual(['+next0', '-next0', '+next1', '-next1'])
  await signal(server, id, 'b')
  await ends(server, id)
})

test('33 Generalised AND-Join (partly): branches that come several times are kept, and each set of them triggers once', async () => {
  const played = stage()
  const server = await startWorkflowServer({ workflows: [rounds(ABC, 'all', played)] })
  const id = await begin(server, { name: 'w' })
  for (const name of ['a', 'a', 'b', 'b']) await signal(server, id, name)
  expect(await inside(server, id, 'rounds', 0)).toMatchObject({ c: 'WAITING', next: 'PENDING' })
  await signal(server, id, 'c')
  await expect.poll(() => played.log).toEqual(['+next0', '-next0'])
  await signal(server, id, 'c')
  await ends(server, id)
  expect(played.log).toEqual(['+next0', '-next0', '+next1', '-next1'])
})

/** Three branches that are held, and what runs once `need` of them have ended. */
function race(need: 'any' | 2, others: 'finish' | 'cancel', { task }: ReturnType<typeof stage>) {
  return workflow('w')
    .step('a', task, holds('a'), { after: [] })
    .step('b', task, holds('b'), { after: [] })
    .step('c', task, holds('c'), { after: [] })
    .step('next', task, does('next'), { after: ['a', 'b', 'c'], join: need, others })
}

test('29 Cancelling Discriminator: the first branch triggers what follows, and cancels the others', async () => {
  const played = stage()
  const server = await startWorkflowServer({ workflows: [race('any', 'cancel', played)] })
  const id = await begin(server, { name: 'w' })
  await played.begun('a', 'b', 'c')
  played.release('b')
  expect(statesOf(await ends(server, id))).toEqual({
    a: 'CANCELED',
    b: 'SUCCEEDED',
    c: 'CANCELED',
    next: 'SUCCEEDED',
  })
  await expect.poll(() => played.log).toEqual(expect.arrayContaining(['!a', '!c', '+next', '-next']))
})

test('30 Structured Partial Join: the n-th branch triggers what follows, once; the others end unheard', async () => {
  const played = stage()
  const server = await startWorkflowServer({ workflows: [race(2, 'finish', played)] })
  const id = await begin(server, { name: 'w' })
  played.release('a')
  expect(statesOf(await reaches(server, id, { a: 'SUCCEEDED' }))).toMatchObject({ next: 'PENDING' })
  played.release('b')
  const run = await reaches(server, id, { next: 'SUCCEEDED' })
  expect(run.status).toBe('RUNNING')
  expect(statesOf(run)).toMatchObject({ c: 'RUNNING' })
  played.release('c')
  await ends(server, id)
  expect(played.log.filter((entry) => entry === '+next')).toHaveLength(1)
})

test('32 Cancelling Partial Join: the n-th branch triggers what follows, and cancels the others', async () => {
  const played = stage()
  const server = await startWorkflowServer({ workflows: [race(2, 'cancel', played)] })
  const id = await begin(server, { name: 'w' })
  await played.begun('a', 'b', 'c')
  played.release('c')
  await reaches(server, id, { a: 'RUNNING', b: 'RUNNING', c: 'SUCCEEDED', next: 'PENDING' })
  played.release('a')
  expect(statesOf(await ends(server, id))).toEqual({
    a: 'SUCCEEDED',
    b: 'CANCELED',
    c: 'SUCCEEDED',
    next: 'SUCCEEDED',
  })
})

test('37 Local Synchronizing Merge: where branches split and meet without structure, each merge waits for what can still come', async () => {
  const { task, release, begun } = stage()
  const takes =
    (key: string) =>
    ({ params }: { params: { take: string[] } }) =>
      params.take.includes(key)
  const w = workflow('w', { params: chosen })
    .step('x', task, does('x'), { after: [], when: takes('x') })
    .step('y', task, does('y'), { after: [], when: takes('y') })
    .step('x1', task, holds('x1'), { after: ['x'] })
    .step('x2', task, does('x2'), { after: ['x'], when: takes('x2') })
    // neither is the end of the block that the other one began
    .step('m', task, does('m'), { after: ['x2', 'y'] })
    .step('n', task, does('n'), { after: ['x1', 'm'] })
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w', params: { take: ['x', 'y'] } })
  await begun('x1')
  expect(statesOf(await reaches(server, id, { m: 'SUCCEEDED' }))).toEqual({
    ...{ x: 'SUCCEEDED', y: 'SUCCEEDED', x1: 'RUNNING', x2: 'SKIPPED', m: 'SUCCEEDED', n: 'PENDING' },
  })
  release('x1')
  await ends(server, id)
  expect(statesOf(await server.run({ name: 'w', params: { take: ['y'] } }))).toEqual({
    ...{ x: 'SKIPPED', y: 'SUCCEEDED', x1: 'SKIPPED', x2: 'SKIPPED', m: 'SUCCEEDED', n: 'SUCCEEDED' },
  })
})

test('38 General Synchronizing Merge: the merge also learns of loops, and of branches that can no more come', async () => {
  const { task, log, release, begun } = stage()
  const w = workflow('w')
    .repeat('loop', task, (_, { index }) => ({ name: `loop${index}`, hold: true }), {
      after: [],
      until: (_, { index }) => index === 1,
      max: 9,
    })
    .step('doomed', task, holds('doomed'), { after: [] })
    .step('behind', task, does('behind'), { after: ['doomed'] })
    .step('doom', task, holds('doom'), { after: [], cancels: ['doomed'] })
    .step('merge', task, does('merge'), { after: ['loop', 'behind'] })
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w' })
  release('loop0')
  await begun('loop1', 'doomed', 'doom')
  expect(statesOf(await server.look(id))).toMatchObject({ merge: 'PENDING' })
  release('loop1')
  expect(statesOf(await reaches(server, id, { loop: 'SUCCEEDED' }))).toMatchObject({ merge: 'PENDING' })
  release('doom')
  expect(statesOf(await ends(server, id))).toMatchObject({ doomed: 'CANCELED', behind: 'SKIPPED', merge: 'SUCCEEDED' })
  expect(log.filter((entry) => entry === '+merge')).toHaveLength(1)
})

const threads = z.object({ count: z.number() })

test('42 Thread Split (partly): a branch runs in so many threads, as the runs of a list of a workflow', async () => {
  const { task, log, release, begun } = stage()
  const branch = workflow('branch', { params: z.object({ n: z.number() }) })
    .step('a', task, ({ params }) => ({ name: `a${params.n}`, hold: true }))
    .step('b', task, ({ params }) => ({ name: `b${params.n}` }))
  const w = workflow('w', { params: threads }).forEach(
    'threads',
    ({ params }) => Array.from({ length: params.count }, (_, n) => n),
    branch,
    (_, n) => ({ n }),
  )
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w', params: { count: 3 } })
  await begun('a0', 'a1', 'a2')
  release('a1')
  // each thread goes on by itself
  await begun('b1')
  expect(log).not.toContain('+b0')
  release('a0')
  release('a2')
  expect((await ends(server, id)).result).toEqual(['b0', 'b1', 'b2'])
})

test('41 Thread Merge (partly): so many threads of a branch become one, once so many of them have ended', async () => {
  const { task, log, release, begun } = stage()
  const w = workflow('w', { params: threads })
    .forEach(
      'threads',
      ({ params }) => Array.from({ length: params.count }, (_, n) => n),
      task,
      (_, n) => ({ name: `t${n}`, hold: true }),
      { need: 2 },
    )
    .step('one', task, does('one'))
  const server = await startWorkflowServer({ workflows: [w] })
  const id = await begin(server, { name: 'w', params: { count: 3 } })
  await begun('t0', 't1', 't2')
  release('t0')
  await reaches(server, id, { 'threads[0]': 'SUCCEEDED', one: 'PENDING' })
  release('t2')
  await begun('one')
  release('t1')
  await ends(server, id)
  expect(log.filter((entry) => entry === '+one')).toHaveLength(1)
})
