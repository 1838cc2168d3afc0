import type { Model } from './model.ts'
import type { Node, Status } from './model-node.ts'
import type { RecordedEvent, RecordedRun } from './recorded-run.ts'

/** What somebody asked of a run when it had ended: to go on, all of it or from one step. */
export type Retry = { readonly step: string | null; readonly mended: boolean }

/**
 * Drives the model through a recorded run: in the order in which attempts began and ended there. Everything else must follow
 * from that by itself. Throws where an attempt begins or ends that the model does not allow.
 */
export function replay(model: Model, events: readonly RecordedEvent[], retries: readonly Retry[]): void {
  const left = [...retries]
  for (const [index, event] of events.entries()) {
    if (model.root.ended && left.length > 0) {
      const { step, mended } = left.shift()!
      model.mended ||= mended
      model.retry(step)
    }
    if (event.path === '' && event.reason === 'CANCEL_REQUESTED') model.cancelRun()
    else if (!event.undoing && !wasInVain(events, index)) replayEvent(model, event)
  }
}

/** In one transaction a step may begin and be canceled by what came of the same cause: nobody ever worked on it. */
function wasInVain(events: readonly RecordedEvent[], index: number): boolean {
  const { path, reason, transaction } = events[index]!
  if (reason !== 'STARTED') return false
  const next = events.slice(index + 1).find((later) => later.path === path && !later.undoing)
  return next?.reason === 'NOT_NEEDED' && next.transaction === transaction
}

function replayEvent(model: Model, { seq, path, to, reason }: RecordedEvent): void {
  const node = model.nodes.find((each) => each.path === path)
  const nodeThatIs = (...allowed: Status[]) => {
    if (!node || !allowed.includes(node.status))
      throw new Error(`event ${seq}: ${path} ${to} by ${reason}, but in the model it is ${node?.status}`)
    return node
  }
  if (node && node.kind !== 'action') return
  switch (reason) {
    case 'STARTED':
      model.start(nodeThatIs('READY', 'SCHEDULED', 'RUNNING'))
      return
    case 'COMPLETED':
    case 'PERMANENT_FAILURE':
    case 'RETRIES_EXHAUSTED':
    case 'RETRY_SCHEDULED': {
      const ended = nodeThatIs('RUNNING')
      model.finishAttempt(ended)
      // it may be undone at once
      if (ended.status !== to && ended.status !== 'COMPENSATING')
        throw new Error(`event ${seq}: ${path} ${to} by ${reason}, but in the model it is ${ended.status}`)
      return
    }
    case 'COMPENSATED':
    case 'COMPENSATION_FAILED':
      model.finishUndo(nodeThatIs('COMPENSATING'))
      return
  }
}

/** What must hold of every recorded run, whatever it was asked to do. Gives what does not hold. */
export function broken(recorded: RecordedRun, model: Model): string[] {
  return [
    ...brokenNumbers(recorded),
    ...brokenChains(recorded),
    ...brokenOrder(recorded, model),
    ...crowds(recorded, model),
  ]
}

function brokenNumbers({ events }: RecordedRun): string[] {
  return events.every(({ seq }, index) => seq === index + 1)
    ? []
    : [`the events' numbers: ${events.map(({ seq }) => seq)}`]
}

/** Each change begins where the one before has ended. */
function brokenChains({ events, states }: RecordedRun): string[] {
  const now = new Map<string, string>()
  const found: string[] = []
  for (const { seq, path, undoing, from, to } of events) {
    const name = undoing ? `undo ${path}` : path
    const before = now.get(name) ?? (path === '' ? null : 'PENDING')
    if (before !== from) found.push(`event ${seq}: ${name} was ${before}, and left ${from}`)
    now.set(name, to)
  }
  for (const [path, state] of states)
    if ((now.get(path) ?? 'PENDING') !== state) found.push(`${path} is ${state}, its last event says ${now.get(path)}`)
  return found
}

/** Every step begins after as many of those before it have ended as it needs. */
function brokenOrder({ events }: RecordedRun, model: Model): string[] {
  const now = new Map<string, RecordedEvent>()
  const nodes = new Map(model.nodes.map((node) => [node.path, node]))
  const found: string[] = []
  for (const event of events) {
    if (event.undoing) continue
    const node = nodes.get(event.path)
    if (node?.step && node.parent?.kind === 'workflow' && begins(event) && !mayBegin(node, now))
      found.push(`event ${event.seq}: ${event.path} began too early`)
    now.set(event.path, event)
  }
  return found
}

function begins({ from, to, reason }: RecordedEvent): boolean {
  return from === 'PENDING' && to !== 'CANCELED' && reason !== 'JOIN_OUT_OF_REACH'
}

function mayBegin({ step, parent }: Node, now: ReadonlyMap<string, RecordedEvent>): boolean {
  const before = step!.after.map((key) => ({ node: parent!.child(key), event: now.get(parent!.child(key).path) }))
  const done = before.filter(({ node, event }) => isDone(event, node.onError)).length
  const dead = before.filter(({ event }) => event?.to === 'SKIPPED' || event?.reason === 'NOT_NEEDED').length
  if (step!.need === 'all' || done + dead === before.length) return done + dead === before.length
  return done >= step!.need
}

function isDone(event: RecordedEvent | undefined, onError: string): boolean {
  if (event?.to === 'SUCCEEDED') return true
  return onError === 'continue' && (event?.to === 'FAILED' || event?.to === 'COMPENSATED')
}

/** No more elements of a list are under way at once than it allows; of sub-workflows an operator's retry revives all that failed. */
function crowds({ events: all }: RecordedRun, model: Model): string[] {
  const found: string[] = []
  const revived = all.findIndex(({ reason }) => reason === 'REVIVED')
  const untilRevived = revived < 0 ? all : all.slice(0, revived)
  for (const list of model.nodes) {
    const work = list.step?.work
    if (list.kind !== 'list' || !work || !('concurrency' in work) || work.concurrency === null) continue
    const events = work.kind === 'workflows' ? untilRevived : all
    const elements = new Set(list.children.map(({ path }) => path))
    const running = new Set<string>()
    for (const { path, undoing, to, seq } of events) {
      if (undoing || !elements.has(path)) continue
      if (['QUEUED', 'RUNNING', 'SCHEDULED'].includes(to)) running.add(path)
      else running.delete(path)
      if (running.size > work.concurrency) found.push(`event ${seq}: ${running.size} of ${list.path} are under way`)
    }
  }
  return found
}
