import { expect, test } from 'vitest'
import { hasEnded, RUN_STATUSES, type RunStatus } from '../../src/core/status.ts'
import {
  EVENT_REASON_MEANINGS,
  EVENT_REASONS,
  isLegal,
  statesBefore,
  TRANSITIONS,
  type Transition,
} from '../../src/core/transitions.ts'

const table: readonly Transition[] = TRANSITIONS
const keyOf = ({ from, to, reason }: Transition) => `${from} ${to} ${reason}`

test('no transition is in the table twice, and a state with a reason leads to one state only', () => {
  expect(new Set(table.map(keyOf)).size).toBe(table.length)
  const retriedInList = { to: 'PENDING', reason: 'RETRY_REQUESTED' }
  const own = table.filter(
    ({ to, reason }) => reason !== 'TAKEN_OVER' && !(reason === retriedInList.reason && to === retriedInList.to),
  )
  expect(new Set(own.map(({ from, reason }) => `${from} ${reason}`)).size).toBe(own.length)
})

test('every reason is used by a transition, and says what it means', () => {
  expect(new Set(table.map(({ reason }) => reason))).toEqual(new Set(EVENT_REASONS))
  expect(Object.keys(EVENT_REASON_MEANINGS)).toEqual([...EVENT_REASONS])
  for (const meaning of Object.values(EVENT_REASON_MEANINGS)) expect(meaning).toMatch(/^[A-Z].{5,}\.$/)
})

test('isLegal agrees with the table on every combination of states and reasons', () => {
  const legal = new Set(table.map(keyOf))
  const wrong: string[] = []
  for (const from of [null, ...RUN_STATUSES])
    for (const to of RUN_STATUSES)
      for (const reason of EVENT_REASONS)
        if (isLegal({ from, to, reason }) !== legal.has(keyOf({ from, to, reason })))
          wrong.push(keyOf({ from, to, reason }))
  expect(wrong).toEqual([])
})

test.each(EVENT_REASONS)(
  'statesBefore(%s) names the states that the table has, each once, and never a run that is not',
  (reason) => {
    const before = statesBefore(reason)
    expect(new Set(before).size).toBe(before.length)
    for (const status of RUN_STATUSES)
      expect(before.includes(status)).toBe(table.some((t) => t.from === status && t.reason === reason))
  },
)

test('a run that has ended is left only when somebody asks for it, or when what it depends on is done again or undone', () => {
  const reasonsFrom = (ended: (status: RunStatus) => boolean) =>
    new Set(table.filter(({ from }) => from !== null && ended(from)).map(({ reason }) => reason))
  expect(reasonsFrom(hasEnded)).toEqual(
    new Set(['RETRY_REQUESTED', 'REVIVED', 'RESET', 'SKIP_REQUESTED', 'COMPENSATION_BEGUN']),
  )
  expect(reasonsFrom((status) => status === 'SUCCEEDED')).toEqual(new Set(['RESET', 'COMPENSATION_BEGUN']))
  expect(reasonsFrom((status) => status === 'COMPENSATED')).toEqual(new Set(['RESET']))
})

test('an action whose outcome is unknown moves only when somebody decides', () => {
  const reasons = table.filter(({ from, to }) => from === 'INDETERMINATE' && to !== from).map(({ reason }) => reason)
  expect(new Set(reasons)).toEqual(
    new Set([
      'CANCEL_REQUESTED',
      'RETRY_REQUESTED',
      'RESOLVED_SUCCEEDED',
      'RESOLVED_FAILED',
      'SKIP_REQUESTED',
      // of a workflow, or of a step behind one that is retried
      'REVIVED',
      'RESET',
      'NOT_NEEDED',
      'COMPENSATION_BEGUN',
    ]),
  )
})

test('only a pause changes no state, and RUNNING is entered by STARTED, or again by REVIVED', () => {
  const same = table.filter(({ from, to }) => from === to).map(({ reason }) => reason)
  expect(new Set(same)).toEqual(new Set(['PAUSE_REQUESTED', 'RESUME_REQUESTED']))
  const entering = table.filter(({ from, to }) => to === 'RUNNING' && from !== to).map(({ reason }) => reason)
  expect(new Set(entering)).toEqual(new Set(['STARTED', 'REVIVED']))
  expect(table.filter(({ to, reason }) => reason === 'STARTED' && to !== 'RUNNING')).toEqual([])
})

test('every state in the table can be reached from nothing, and every one that has not ended can be left', () => {
  const reached = new Set<RunStatus>()
  for (let before = -1; before < reached.size; ) {
    before = reached.size
    for (const { from, to } of table) if (from === null || reached.has(from)) reached.add(to)
  }
  expect(reached).toEqual(new Set(table.flatMap(({ from, to }) => (from === null ? [to] : [from, to]))))
  const stuck = [...reached].filter(
    (status) => !hasEnded(status) && !table.some(({ from, to }) => from === status && to !== status),
  )
  expect(stuck).toEqual([])
})

test('whatever may be canceled has not ended, and whatever is canceled can be retried', () => {
  expect(statesBefore('CANCEL_REQUESTED').filter(hasEnded)).toEqual([])
  expect(statesBefore('RETRY_REQUESTED')).toContain('CANCELED')
})
