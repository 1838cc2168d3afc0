import { type Behaviour, type OnError, onErrorOf, type Plan, type PlannedStep } from './plans.ts'

export type Kind = 'workflow' | 'list' | 'action' | 'value'
type Ended = 'SUCCEEDED' | 'FAILED' | 'CANCELED' | 'SKIPPED' | 'COMPENSATED'
/** READY: may begin at any moment. SCHEDULED: failed, and will be tried again. */
export type Status = 'PENDING' | 'READY' | 'RUNNING' | 'SCHEDULED' | 'COMPENSATING' | Ended

const ENDED: readonly Status[] = ['SUCCEEDED', 'FAILED', 'CANCELED', 'SKIPPED', 'COMPENSATED']

/** A run of the model: a workflow, or a step of one. */
export class Node {
  status: Status = 'PENDING'
  /** What those after it made of its end: it was done, or it was not and need not be. Null: they wait. */
  counts: 'done' | 'dead' | null = null
  children: Node[] = []
  /** Of what comes before: what has not been heard of yet, and what was done. */
  pending = 0
  live = 0
  /** When it ended, among all ends. */
  endedAt = 0
  attempt = 0
  /** Its effect could not be undone, or that of something in it. */
  stuck = false
  /** Of a list: the element that begins next. While it is turned back: what ended before this is still to be undone. */
  next = 0
  readonly key: string
  readonly path: string
  readonly kind: Kind
  readonly parent: Node | undefined
  /** The step that it is one of; undefined for the root. */
  readonly step: PlannedStep | undefined
  /** Of a workflow: what it runs. */
  readonly plan: Plan | undefined
  readonly behaviour: Behaviour | undefined

  private constructor(fields: Pick<Node, 'key' | 'path' | 'kind' | 'parent' | 'step' | 'plan' | 'behaviour'>) {
    this.key = fields.key
    this.path = fields.path
    this.kind = fields.kind
    this.parent = fields.parent
    this.step = fields.step
    this.plan = fields.plan
    this.behaviour = fields.behaviour
  }

  static root(plan: Plan): Node {
    const none = { parent: undefined, step: undefined, behaviour: undefined }
    return new Node({ ...none, key: '', path: '', kind: 'workflow', plan })
  }

  static step(parent: Node, step: PlannedStep): Node {
    const { key, work } = step
    const path = parent.path === '' ? key : `${parent.path}/${key}`
    const kind = work.kind === 'workflows' ? 'list' : work.kind
    const plan = work.kind === 'workflow' ? work.plan : undefined
    const node = new Node({ key, path, kind, parent, step, plan, behaviour: work.kind === 'action' ? work : undefined })
    node.setBack()
    return node
  }

  /** The runs of a list. */
  static elements(list: Node): Node[] {
    const { work } = list.step!
    const element = (index: number, of: Partial<Pick<Node, 'plan' | 'behaviour'>>) =>
      new Node({
        key: list.key,
        path: `${list.path}[${index}]`,
        kind: of.plan ? 'workflow' : 'action',
        parent: list,
        step: list.step,
        plan: of.plan,
        behaviour: of.behaviour,
      })
    if (work.kind === 'list') return work.items.map((behaviour, index) => element(index, { behaviour }))
    if (work.kind !== 'workflows') throw new Error(`${list.path} is no list`)
    return Array.from({ length: work.times }, (_, index) => element(index, { plan: work.plan }))
  }

  /** To where it was before it began. What it consists of is set back when it begins again. */
  setBack(): void {
    this.status = 'PENDING'
    this.counts = null
    this.pending = this.step && this.parent?.kind === 'workflow' ? this.step.after.length : 0
    this.live = 0
  }

  get ended(): boolean {
    return ENDED.includes(this.status)
  }

  get active(): boolean {
    return this.status !== 'PENDING' && !this.ended
  }

  /** Something with runs of its own. */
  get whole(): boolean {
    return this.kind === 'workflow' || this.kind === 'list'
  }

  /** It has succeeded, or it is a whole that may have parts that did. */
  get mayBeUndone(): boolean {
    if (this.status === 'SUCCEEDED') return true
    return this.whole && !this.stuck && (this.status === 'FAILED' || this.status === 'CANCELED')
  }

  /** Ended without being done, and nobody said that its dependents may go on. */
  get holdsUp(): boolean {
    return this.counts === null && ['FAILED', 'CANCELED', 'COMPENSATED'].includes(this.status)
  }

  get onError(): OnError {
    if (!this.step || !this.parent) return 'fail'
    const workflow = this.parent.kind === 'list' ? this.parent.parent! : this.parent
    return onErrorOf(workflow.plan!, this.step)
  }

  /** The step itself and everything below it. */
  all(): Node[] {
    return [this, ...this.children.flatMap((child) => child.all())]
  }

  child(key: string): Node {
    return this.children.find((child) => child.key === key)!
  }

  /** The steps that depend on this one directly, in declared order. */
  get dependents(): Node[] {
    if (this.parent?.kind !== 'workflow') return []
    return this.parent.children.filter(({ step }) => step!.after.includes(this.key))
  }

  /** The steps that depend on it, directly or not. */
  get descendants(): Set<Node> {
    const found = new Set<Node>(this.dependents)
    for (const node of found) for (const next of node.dependents) found.add(next)
    return found
  }

  /** What leads nowhere but to this step: all that comes after it, without passing through here, comes before here. */
  get leadingOnlyHere(): Node[] {
    const before = this.parent!.children.filter((node) => node.descendants.has(this))
    return before.filter((node) => {
      const beyond = new Set<Node>([node])
      for (const one of beyond) for (const next of one.dependents) if (next !== this) beyond.add(next)
      return [...beyond].every((one) => before.includes(one))
    })
  }
}
