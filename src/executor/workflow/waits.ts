import type { SignalWork } from '../../core/workflow/graph.ts'
import { takeSignal } from '../../db/tree/signals.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Advance } from './advance.ts'
import { encodeJson } from './json-text.ts'
import { LogicError } from './logic-error.ts'
import { logicError } from './step-errors.ts'

const MAX_SLEEP_MS = 3_660 * 86_400_000

/** Waits for a time: so many milliseconds, or until a moment. One that has passed is over at once. */
export function beginSleep(advance: Advance, row: TreeRow, input: unknown): void {
  const { tree } = advance
  const until = typeof input === 'number' ? tree.nowMs + input : momentOf(input)
  const inMs = until - tree.nowMs
  if (!Number.isFinite(inMs) || inMs > MAX_SLEEP_MS || (typeof input === 'number' && input < 0))
    throw new LogicError(
      'MAPPING_FAILED',
      `Step ${JSON.stringify(row.stepKey)} sleeps for milliseconds from 0 to ten years, or until a moment; it was given ${shown(input)}`,
    )
  row.wakeAt = Math.ceil(until)
  row.wait = { kind: 'time', until: new Date(row.wakeAt).toISOString() }
  row.startedAt ??= tree.nowMs
  tree.transition(row, 'WAITING', 'WAIT_BEGUN', { data: { waitsFor: row.wait } })
  advance.timed = true
  if (row.wakeAt <= tree.nowMs) wake(advance, row)
}

function momentOf(input: unknown): number {
  if (input instanceof Date) return input.getTime()
  return typeof input === 'string' ? Date.parse(input) : Number.NaN
}

function shown(input: unknown): string {
  return typeof input === 'number' || typeof input === 'string' ? JSON.stringify(input) : typeof input
}

/** Waits for a signal; one that has been kept for it is taken at once. */
export async function beginWaitForSignal(advance: Advance, row: TreeRow, work: SignalWork): Promise<void> {
  const { tree } = advance
  const { name, deadlineMs, approval, transient } = work
  row.waitName = name
  row.wakeAt = deadlineMs === undefined ? null : tree.nowMs + deadlineMs
  row.wait = {
    kind: approval ? 'approval' : 'signal',
    name,
    ...(approval && { approvers: approval.approvers }),
    ...(row.wakeAt !== null && { until: new Date(row.wakeAt).toISOString() }),
  }
  row.startedAt ??= tree.nowMs
  tree.transition(row, 'WAITING', 'WAIT_BEGUN', { data: { waitsFor: row.wait } })
  if (row.wakeAt !== null) advance.timed = true
  // an approval decides on what is there when it is asked for: nobody approves beforehand
  if (!approval && !transient) await takeKept(advance, row, name)
}

/** Takes the oldest signal that was kept for this name and fits; one that does not fit is of no use to anybody. */
async function takeKept(advance: Advance, row: TreeRow, name: string): Promise<void> {
  const { tree, host } = advance
  const logic = host.logic(tree.graphOfStep(row))?.steps.get(row.stepKey ?? '')
  for (;;) {
    const kept = await takeSignal(tree.run, addressees(advance, row), name, row.id)
    if (!kept) return
    const checked = await logic?.checkPayload?.(kept.payload)
    if (!checked || checked.ok) return receive(advance, row, checked ? checked.value : kept.payload, kept.actor)
  }
}

/** The workflow that a step belongs to, and those around it: a signal to any of them reaches the step. */
export function addressees({ tree }: Advance, row: TreeRow): string[] {
  const ids: string[] = []
  for (let above = tree.parentOf(row); above; above = tree.parentOf(above)) ids.push(above.id)
  return ids
}

/** The signal has come. */
export function receive(advance: Advance, row: TreeRow, payload: unknown, actor: string): void {
  advance.tree.transition(row, 'SUCCEEDED', 'SIGNAL_RECEIVED', {
    resolved: 'live',
    result: encodeJson(payload ?? null, advance.host.maxResultBytes, 'payload'),
    actor,
  })
  advance.rest(row)
}

/** The time of a wait has come: a sleep is over, a deadline has passed. */
export function wake(advance: Advance, row: TreeRow): void {
  const { tree, host } = advance
  const { work } = tree.specOf(row)
  if (work.kind !== 'signal') tree.transition(row, 'SUCCEEDED', 'TIME_REACHED', { resolved: 'live', result: 'null' })
  else if (work.fallback) {
    const result = encodeJson(work.fallback.payload, host.maxResultBytes, 'fallback')
    tree.transition(row, 'SUCCEEDED', 'FALLBACK_TAKEN', { resolved: 'live', result })
  } else {
    const what = work.approval ? 'decided' : `sent the signal ${JSON.stringify(work.name)}`
    const error = logicError('WAIT_EXPIRED', `Nobody ${what} within ${work.deadlineMs} ms`)
    tree.transition(row, 'FAILED', 'WAIT_EXPIRED', { error, ...advance.failureResolution(row) })
  }
  advance.rest(row)
}
