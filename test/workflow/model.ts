import { Node, type Status } from './model-node.ts'
import type { Condition, Flags, Plan } from './plans.ts'

/** How often an action worked, was cut while it may have been working, and was undone. */
interface Tally {
  successes: number
  cuts: number
  undone: number
}

/**
 * What a workflow means, written down a second time: nothing here comes from the server's code. Whoever drives it says which
 * attempt begins or ends next; everything that follows from that, it decides. So it can be driven in any order, or in that
 * of a run that has been recorded.
 */
export class Model {
  readonly root: Node
  /** What is broken works from now on. */
  mended = false
  private readonly flags: Flags
  /** Those whose end somebody has to hear of. */
  private news: Node[] = []
  private ends = 0
  private readonly tallies = new Map<string, Tally>()

  constructor(plan: Plan, flags: Flags) {
    this.flags = flags
    this.root = Node.root(plan)
    this.beginWorkflow(this.root)
    this.settle()
  }

  get nodes(): Node[] {
    return this.root.all()
  }

  /** The final states by path: what is READY or RUNNING has not ended. */
  get states(): Record<string, Status> {
    return Object.fromEntries(this.nodes.map(({ path, status }) => [path, status]))
  }

  /** What a step has done so far, however often it was set back. */
  tallyOf({ path }: Node): Tally {
    const tally = this.tallies.get(path) ?? { successes: 0, cuts: 0, undone: 0 }
    this.tallies.set(path, tally)
    return tally
  }

  // what is done to it from outside

  /** An attempt of an action begins. */
  start(node: Node): void {
    node.status = 'RUNNING'
    node.attempt++
  }

  /** An attempt comes to its end, as the action behaves. */
  finishAttempt(node: Node): void {
    const { does } = node.behaviour!
    const worked = this.mended || does === 'works' || (typeof does === 'number' && node.attempt > does)
    if (worked) {
      this.tallyOf(node).successes++
      this.end(node, 'SUCCEEDED', 'done')
    } else if (typeof does === 'number') node.status = 'SCHEDULED'
    else this.fail(node)
    this.settle()
  }

  /** The attempt to undo an action comes to its end. */
  finishUndo(node: Node): void {
    node.stuck = node.behaviour!.undo === 'breaks'
    if (!node.stuck) this.tallyOf(node).undone++
    this.end(node, node.stuck ? 'FAILED' : 'COMPENSATED', null)
    this.settle()
  }

  cancelRun(): void {
    this.cancel(this.root, null)
    this.settle()
  }

  /** An operator has the run go on: all that holds it up, or one step of it. */
  retry(key: string | null): void {
    const node = key === null ? this.root : this.root.child(key)
    const targets = node.whole ? failingBelow(node) : [node]
    if (targets.length === 0) this.goOn(node)
    else {
      for (const target of targets) this.retryNode(target)
      for (const list of new Set(targets.map(listThatFills))) if (list) this.fill(list, roomOf(list))
    }
    this.settle()
  }

  // what begins

  private beginWorkflow(node: Node): void {
    node.status = 'RUNNING'
    // done again, it is the same steps that are done again
    for (const child of node.children) child.setBack()
    if (node.children.length === 0) node.children = node.plan!.steps.map((step) => Node.step(node, step))
    for (const child of node.children) if (child.pending === 0) this.consider(child)
  }

  private beginList(list: Node): void {
    const { work } = list.step!
    list.status = 'RUNNING'
    // done again, it keeps what was done
    for (const child of list.children) if (child.status !== 'SUCCEEDED') child.setBack()
    if (list.children.length === 0) list.children = Node.elements(list)
    list.next = 0
    this.fill(list, ('concurrency' in work ? work.concurrency : null) ?? list.children.length)
  }

  private fill(list: Node, room: number): void {
    for (let left = room; left > 0 && list.next < list.children.length; ) {
      const next = list.children[list.next++]!
      if (next.status !== 'PENDING') continue
      left--
      this.begin(next)
    }
  }

  private begin(node: Node): void {
    if (node.kind === 'workflow') this.beginWorkflow(node)
    else if (node.kind === 'list') this.beginList(node)
    else if (node.kind === 'action') node.status = 'READY'
    else this.end(node, 'SUCCEEDED', 'done')
  }

  /** Whether a step runs now, is skipped, or waits on. */
  private consider(node: Node): void {
    if (node.status !== 'PENDING' || node.parent!.status !== 'RUNNING') return
    const { need, others, when } = node.step!
    const verdict = verdictOf(node)
    if (verdict === 'wait') return
    if (verdict === 'skip' || !this.holds(when)) this.end(node, 'SKIPPED', 'dead')
    else this.begin(node)
    if (verdict === 'run' && need !== 'all' && others === 'cancel' && node.pending > 0)
      for (const other of node.leadingOnlyHere) this.cancel(other, 'dead')
  }

  private holds(when: Condition | undefined): boolean {
    if (when === undefined || typeof when === 'boolean') return when ?? true
    return this.flags[when.flag] === when.is
  }

  // what ends

  private end(node: Node, status: Status, counts: Node['counts']): void {
    node.status = status
    node.counts = counts
    node.endedAt = ++this.ends
    this.news.push(node)
  }

  private fail(node: Node, status: 'FAILED' | 'COMPENSATED' = 'FAILED'): void {
    this.end(node, status, node.onError === 'continue' ? 'done' : null)
  }

  /** What moves of it is cut; what never began stays as it is. */
  private cancel(node: Node, counts: Node['counts']): void {
    // what is being undone is not left half undone
    if (node.ended || node.status === 'COMPENSATING') return
    const left = new Set<Node | undefined>()
    for (const each of node.all()) if (each.status === 'COMPENSATING' || left.has(each.parent)) left.add(each)
    for (const below of node.all().filter((each) => each === node || (each.active && !left.has(each)))) {
      if (below.kind === 'action' && below.active) this.tallyOf(below).cuts++
      below.status = 'CANCELED'
      below.counts = counts
      below.endedAt = ++this.ends
    }
    this.news.push(node)
  }

  /** Follows everything through until nothing is left that follows from it. */
  private settle(): void {
    for (;;) {
      const node = this.news.shift()
      if (node) this.tell(node)
      else if (!this.finishIdle()) return
    }
  }

  private tell(node: Node): void {
    const { parent } = node
    if (!parent || !node.ended) return
    if (parent.kind === 'list') {
      if (parent.status === 'RUNNING') this.fill(parent, 1)
      return
    }
    if (node.holdsUp && node.status !== 'CANCELED' && node.onError === 'compensate') this.turnBack(parent)
    if (node.counts === null) return
    for (const next of node.dependents) {
      next.pending--
      if (node.counts === 'done') next.live++
      this.consider(next)
    }
    // where all is undone, nothing is left to cancel
    if (node.status !== 'SUCCEEDED' || parent.status !== 'RUNNING') return
    for (const other of node.step!.cancels) this.cancel(parent.child(other), 'dead')
  }

  /** Ends what has nothing left that moves: all that has come to rest in the same moment, before any of it is told to others. */
  private finishIdle(): boolean {
    const idle = this.nodes.filter(isIdle)
    for (const node of idle) {
      if (node.status === 'COMPENSATING') this.undoNextOf(node)
      else if (node.children.some(({ holdsUp }) => holdsUp)) this.fail(node)
      else this.end(node, 'SUCCEEDED', 'done')
    }
    return idle.length > 0
  }

  // what is undone

  /** Nothing new begins, what has not begun is canceled, what runs comes to its end. */
  private turnBack(node: Node): void {
    if (node.status !== 'RUNNING') return
    node.status = 'COMPENSATING'
    node.next = Number.POSITIVE_INFINITY
    for (const child of node.children) {
      if (child.whole) this.turnBack(child)
      else if (child.status === 'READY' || child.status === 'SCHEDULED') this.cancel(child, null)
    }
  }

  /** What was completed last goes first. */
  private undoNextOf(node: Node): void {
    const left = node.children.filter((child) => child.mayBeUndone && child.endedAt < node.next)
    const last = left.reduce<Node | undefined>((a, b) => (a && a.endedAt > b.endedAt ? a : b), undefined)
    if (last) {
      node.next = last.endedAt
      if (last.whole) last.next = Number.POSITIVE_INFINITY
      if (last.whole || (last.behaviour && last.behaviour.undo !== 'none')) last.status = 'COMPENSATING'
      return
    }
    node.stuck = node.children.some(({ stuck }) => stuck)
    this.fail(node, node.stuck ? 'FAILED' : 'COMPENSATED')
  }

  // what is done again

  private retryNode(node: Node): void {
    this.revive(node.parent)
    if (node.parent?.kind === 'workflow' && node.counts !== null) this.resetAfter(node)
    const list = listThatFills(node)
    if (node.kind === 'action') {
      node.counts = null
      node.status = list ? 'PENDING' : 'READY'
      if (list) list.next = Math.min(list.next, list.children.indexOf(node))
    } else this.goOn(node)
  }

  /** A workflow or a list, canceled between two of its steps or before it began. */
  private goOn(node: Node): void {
    this.revive(node.parent)
    node.counts = null
    node.status = node.children.length > 0 ? 'RUNNING' : 'PENDING'
    if (node.status === 'PENDING') this.consider(node)
    else if (node.kind === 'workflow') for (const child of node.children) this.consider(child)
  }

  private revive(node: Node | undefined): void {
    if (!node || node.status === 'RUNNING') return
    this.revive(node.parent)
    const heard = node.counts !== null && node.parent?.kind === 'workflow'
    node.status = 'RUNNING'
    node.counts = null
    if (heard) this.resetAfter(node)
  }

  /** What ran on what this step left runs again after it. */
  private resetAfter(node: Node): void {
    const after = node.descendants
    node.counts = null
    for (const each of after) each.setBack()
    for (const each of after) {
      const before = each.step!.after.map((key) => each.parent!.child(key))
      each.pending = before.filter(({ counts }) => counts === null).length
      each.live = before.filter(({ counts }) => counts === 'done').length
    }
  }
}

/** The rule of joins, with dead paths: what was skipped needs nobody to wait for it. */
function verdictOf({ step, pending, live }: Node): 'wait' | 'run' | 'skip' {
  const { need, onSkipped, after } = step!
  const runsAnyway = onSkipped === 'run' || after.length === 0
  const enough = need === 'all' ? pending === 0 && live > 0 : live >= need
  if (enough) return 'run'
  if (pending > 0 && (need === 'all' || runsAnyway || live + pending >= need)) return 'wait'
  return runsAnyway ? 'run' : 'skip'
}

function isIdle({ whole, status, children, kind, next }: Node): boolean {
  if (!whole || (status !== 'RUNNING' && status !== 'COMPENSATING') || children.some(({ active }) => active))
    return false
  return kind !== 'list' || status === 'COMPENSATING' || next >= children.length
}

/** The list that an action is of, where that begins only so many at once. */
function listThatFills({ kind, parent }: Node): Node | undefined {
  return kind === 'action' && parent?.status === 'RUNNING' && Number.isFinite(roomOf(parent)) ? parent : undefined
}

/** How many more of a list may begin. */
function roomOf({ kind, step, children }: Node): number {
  const atOnce = kind === 'list' && step && 'concurrency' in step.work ? step.work.concurrency : null
  return atOnce === null ? Number.POSITIVE_INFINITY : atOnce - children.filter(({ active }) => active).length
}

/** What holds a run up, at its root: not the workflows and lists that failed because of it. */
function failingBelow(node: Node): Node[] {
  return node.children
    .filter(({ counts, status }) => counts === null && (status === 'FAILED' || status === 'CANCELED'))
    .flatMap((child) => (child.whole && child.children.some(({ holdsUp }) => holdsUp) ? failingBelow(child) : [child]))
}

/** Which of the attempts that may begin or end does so next. */
export type Schedule = (choices: readonly Node[]) => Node

export const firstFirst: Schedule = (choices) => choices[0]!
export const lastFirst: Schedule = (choices) => choices.at(-1)!

/** Runs a model until nothing moves any more; what hangs then is left over. */
export function runToEnd(model: Model, schedule: Schedule): Node[] {
  for (;;) {
    const active = model.nodes.filter(({ kind, active }) => kind === 'action' && active)
    const hanging = (node: Node) => node.status === 'RUNNING' && node.behaviour?.does === 'hangs' && !model.mended
    const choices = active.filter((node) => !hanging(node))
    if (choices.length === 0) return active
    advance(model, schedule(choices))
  }
}

function advance(model: Model, node: Node): void {
  if (node.status === 'COMPENSATING') model.finishUndo(node)
  else if (node.status === 'RUNNING') model.finishAttempt(node)
  else model.start(node)
}
