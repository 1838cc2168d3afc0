import { byteLength, type Issue, jsonIssues } from '../../core/json.ts'
import {
  InvalidInputError,
  InvalidParamsError,
  InvalidTransitionError,
  PayloadTooLargeError,
  PermissionDeniedError,
} from '../../core/request-errors.ts'
import { hasEnded, RUN_STATUSES } from '../../core/status.ts'
import type { Graph, SignalWork } from '../../core/workflow/graph.ts'
import { keepSignal, stepsWaitingFor } from '../../db/tree/signals.ts'
import type { TreeRow } from '../../db/tree/tree-row.ts'
import type { Executor } from '../executor.ts'
import type { Advance } from '../workflow/advance.ts'
import { queueStep } from '../workflow/enter-step.ts'
import { addItem } from '../workflow/grow-list.ts'
import { LogicError } from '../workflow/logic-error.ts'
import { graphQueue } from '../workflow/queues.ts'
import { addressees, receive } from '../workflow/waits.ts'
import { type ControlRequest, control } from './control.ts'
import type { Executed } from './execution.ts'

export interface SignalRequest extends ControlRequest {
  readonly name: string
  readonly payload: unknown
}

const UNENDED = RUN_STATUSES.filter((status) => !hasEnded(status))
const MAX_NAME = 100

/**
 * Sends a signal to a workflow run: the step of it, or of a workflow below it, that has waited longest for this name takes it;
 * without one it is kept until a step waits. For an approval the payload is the decision, `{ approved, comment, payload }`, and
 * somebody must be asking for it. Throws `InvalidTransitionError` for a run that has ended, `InvalidParamsError` for a payload
 * that does not fit, `PermissionDeniedError` for somebody who may not decide.
 */
export async function signalRun(executor: Executor, request: SignalRequest, actor: string): Promise<Executed> {
  const { name, payload } = request
  checkSignal(name, payload, executor.options.maxParamsBytes)
  return control(executor, 'signal', request, { name, payload }, async (advance, row) => {
    if (row.kind !== 'WORKFLOW') throw new InvalidInputError('id', 'names no workflow run: only those are signaled')
    if (hasEnded(row.status)) throw new InvalidTransitionError('signaled', row.status, UNENDED)
    const waiting = await whoWaits(advance, row, name)
    if (waiting) return deliver(advance, row, waiting, request, actor)
    if (row.graph !== null && asksForDecision(advance, row, name))
      throw new InvalidInputError('name', `is ${JSON.stringify(name)}: nobody asks for this decision at the moment`)
    await checkAhead(advance, row, name, payload)
    await keep(advance, row, request, actor, null)
  })
}

function checkSignal(name: string, payload: unknown, maxBytes: number): void {
  if (name.length === 0 || name.length > MAX_NAME || jsonIssues(name).length > 0)
    throw new InvalidInputError('name', `must be text of 1 to ${MAX_NAME} characters`)
  const issues = jsonIssues(payload)
  if (issues.length > 0) throw new InvalidParamsError(name, issues, 'signal')
  const bytes = byteLength(JSON.stringify(payload))
  if (bytes > maxBytes) throw new PayloadTooLargeError(bytes, maxBytes)
}

async function whoWaits(advance: Advance, row: TreeRow, name: string): Promise<TreeRow | undefined> {
  const { tree } = advance
  const ids = await stepsWaitingFor(tree.run, row.rootId, name)
  await tree.load(ids)
  const begunHere = [...tree.all()]
    .filter((one) => one.rootId === row.rootId && one.waitName === name && !ids.includes(one.id))
    .toSorted((a, b) => a.lastSeq - b.lastSeq)
  return [...ids.map((id) => tree.get(id)), ...begunHere].find(
    (one) => takesSignals(one) && addressees(advance, one).includes(row.id),
  )
}

/** A step that waits, or a list that grows. */
function takesSignals({ kind, status, waitName }: TreeRow): boolean {
  return waitName !== null && status === (kind === 'GROUP' ? 'RUNNING' : 'WAITING')
}

/** A step that asks for a decision under this name; those of sub-workflows are not known before they begin. */
function asksForDecision({ tree }: Advance, row: TreeRow, name: string): boolean {
  return tree.graphOf(row).graph.steps.some(({ work }) => work.kind === 'signal' && work.name === name && work.approval)
}

/** Whoever will take it is known already, where the graph says so: what does not fit is refused at once. */
async function checkAhead({ tree, host }: Advance, row: TreeRow, name: string, payload: unknown): Promise<void> {
  if (row.graph === null) return
  const compiled = tree.graphOf(row)
  const takers = compiled.graph.steps.filter(
    ({ work, each }) => (work.kind === 'signal' && work.name === name) || each?.more === name,
  )
  if (takers.length === 0) refuseUnknown(compiled.graph, name)
  const checks = takers.map(({ key }) => host.logic(compiled)?.steps.get(key)?.checkPayload?.(payload))
  const outcomes = await Promise.all(checks)
  const issues = outcomes.flatMap((one) => (one && !one.ok ? one.issues : []))
  // one taker that it fits is enough
  if (outcomes.length > 0 && issues.length > 0 && outcomes.every((one) => one && !one.ok))
    throw new InvalidParamsError(name, issues, 'signal')
}

/** What nothing in the graph can ever take would be kept for ever. A workflow below may wait for any name. */
function refuseUnknown({ name: workflow, steps }: Graph, name: string): void {
  if (steps.some(({ work }) => work.kind === 'workflow')) return
  const known = steps.flatMap(({ work, each }) => [work.kind === 'signal' ? work.name : null, each?.more ?? null])
  const names = [...new Set(known)].filter((one) => one !== null)
  const has = names.length === 0 ? 'it waits for no signal' : `its signals are ${names.join(', ')}`
  throw new InvalidInputError('name', `is ${JSON.stringify(name)}, which no step of ${workflow} takes: ${has}`)
}

async function deliver(
  advance: Advance,
  to: TreeRow,
  step: TreeRow,
  request: SignalRequest,
  actor: string,
): Promise<void> {
  if (step.kind === 'GROUP') return add(advance, to, step, request, actor)
  const work = advance.tree.specOf(step).work as SignalWork
  const compiled = advance.tree.graphOfStep(step)
  if (!work.approval && !advance.host.logic(compiled)) {
    // nobody would take it afterwards
    if (work.transient)
      throw new InvalidInputError('name', `is for ${compiled.graph.name}, whose code another server has: send it there`)
    // whoever has the code checks it, and takes it
    await keep(advance, to, request, actor, null)
    return queueStep(advance, step, graphQueue(compiled))
  }
  const payload = await received(advance, step, work, request, actor)
  await keep(advance, to, request, actor, step.id)
  receive(advance, step, payload, actor)
}

/** Adds an item to a list. */
async function add(advance: Advance, to: TreeRow, list: TreeRow, request: SignalRequest, actor: string): Promise<void> {
  const item = await checked(advance, list, request.name, request.payload)
  try {
    await addItem(advance, list, item)
  } catch (thrown) {
    if (!(thrown instanceof LogicError)) throw thrown
    throw new InvalidParamsError(request.name, [{ path: '', message: thrown.message }], 'signal')
  }
  await keep(advance, to, request, actor, list.id)
}

async function received(advance: Advance, step: TreeRow, work: SignalWork, request: SignalRequest, actor: string) {
  if (!work.approval) return checked(advance, step, request.name, request.payload)
  const decision = decisionOf(work, request, actor)
  return { ...decision, payload: (await checked(advance, step, request.name, decision.payload)) ?? null }
}

interface Decision {
  readonly approved: boolean
  readonly by: string
  readonly comment: string | null
  readonly payload: unknown
}

const MEMBERS = new Set(['approved', 'comment', 'payload'])

function decisionOf({ approval }: SignalWork, { name, payload }: SignalRequest, actor: string): Decision {
  const approvers = approval?.approvers
  if (approvers && !approvers.includes(actor))
    throw new PermissionDeniedError(`Only ${approvers.join(', ')} may decide on ${name}; this key is ${actor}.`)
  const given = typeof payload === 'object' && payload !== null && !Array.isArray(payload) ? payload : {}
  const { approved, comment = null, payload: inner = null } = given as Partial<Record<string, unknown>>
  const issues: Issue[] = Object.keys(given)
    .filter((member) => !MEMBERS.has(member))
    .map((member) => ({ path: member, message: 'is no member of a decision: approved, comment, payload' }))
  if (typeof approved !== 'boolean') issues.push({ path: 'approved', message: 'must be true or false' })
  if (comment !== null && (typeof comment !== 'string' || comment.length > 10_000))
    issues.push({ path: 'comment', message: 'must be text of at most 10000 characters' })
  if (issues.length > 0) throw new InvalidParamsError(name, issues, 'signal')
  return { approved: approved === true, by: actor, comment: comment as string | null, payload: inner }
}

async function checked({ tree, host }: Advance, step: TreeRow, name: string, payload: unknown): Promise<unknown> {
  const compiled = tree.graphOfStep(step)
  const logic = host.logic(compiled)
  // a schema of code is known only where the code is
  if (!logic)
    throw new InvalidInputError('name', `is for ${compiled.graph.name}, whose graph this server does not have`)
  const outcome = await logic.steps.get(step.stepKey ?? '')?.checkPayload?.(payload)
  if (outcome && !outcome.ok) throw new InvalidParamsError(name, outcome.issues, 'signal')
  return outcome ? outcome.value : payload
}

function keep(advance: Advance, to: TreeRow, { name, payload }: SignalRequest, actor: string, takenBy: string | null) {
  return keepSignal(advance.tree.run, { runId: to.id, name, payload, actor, at: advance.tree.nowMs, takenBy })
}
