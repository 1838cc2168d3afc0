import type { Budget } from './budget.ts'
import { MAX_LIST_LENGTH } from './limits.ts'

/**
 * Makes a parsed expression pay for its work. The library has no such bound of its own: its checked tree keeps a `handle`
 * on every operator, call and loop, which gets the operands, and is wrapped here. Only with the pinned version: a test
 * that expects a huge list to be refused notices when a newer one has none.
 */
interface Node {
  readonly op: string
  readonly args: unknown
  readonly meta: { readonly alternate?: Node }
  handle?: (...operands: unknown[]) => unknown
}

/** The budget of the evaluation that is under way; evaluations are synchronous and do not nest. */
export interface Purse {
  budget: Budget | undefined
}

/** @param tree of an expression that the library has checked already. */
export function meter(tree: unknown, purse: Purse): void {
  for (const node of nodesOf(tree as Node)) {
    const { handle } = node
    const cost = costOf(node)
    if (!handle || !cost) continue
    node.handle = (...operands) => {
      const budget = purse.budget
      if (!budget) throw new Error('is evaluated without a budget')
      cost(operands, budget)
      const outcome = handle(...operands)
      if (Array.isArray(outcome)) checkLength(outcome.length)
      return outcome
    }
  }
}

type Cost = (operands: readonly unknown[], budget: Budget) => void

function costOf(node: Node): Cost | undefined {
  switch (node.op) {
    case 'comprehension':
      return loopCost(node.args as Loop)
    case '==':
    case '!=':
      return ([left, right], budget) => (isObject(left) ? spendOn(right, budget) : budget.spend(1))
    case 'in':
      return ([left, right], budget) =>
        isObject(left) && Array.isArray(right) ? spendOn(right, budget) : budget.spend(1 + sizeOf(right))
    case '+':
      return ([left, right], budget) => {
        budget.spend(1 + sizeOf(left) + sizeOf(right))
        if (Array.isArray(left) && Array.isArray(right)) checkLength(left.length + right.length)
      }
    case 'call':
      return ([args], budget) => callCost(node, args as unknown[], budget)
    case 'rcall':
      return ([args], budget) => callCost(node, args as unknown[], budget)
    default:
      return undefined
  }
}

interface Loop {
  readonly iterable: Node
  readonly step: Node
  /** `all` and `exists` go on after an error, in case a later element decides. */
  readonly errorsAreFatal: boolean
}

/** An error that is swallowed takes as long as so many nodes: the library draws the source into its message. */
const ERROR_COST = 30

/** Pays for all iterations before the first one. */
function loopCost({ step, errorsAreFatal }: Loop): Cost {
  let body = errorsAreFatal ? 0 : ERROR_COST
  for (const { op } of nodesOf(step)) body += op === '||' || op === '&&' ? ERROR_COST : 1
  return ([range], budget) => {
    const length = Array.isArray(range) ? range.length : isObject(range) ? Object.keys(range).length : 0
    checkLength(length)
    budget.spend(1 + length * body)
  }
}

function callCost(node: Node, args: readonly unknown[], budget: Budget): void {
  const [first, second] = args
  const name = (node.args as unknown[])[0]
  // the library's parser of durations is quadratic
  if (name === 'duration' && typeof first === 'string' && first.length > 64) throw new Error('is no duration')
  if (name === 'join' && Array.isArray(first)) for (const each of first) budget.spend(1 + sizeOf(each) + sizeOf(second))
  if (name === 'size' && isObject(first)) budget.spend(Object.keys(first).length)
  if (name === 'split' && typeof first === 'string') budget.spend(first.length)
  // searching a text may compare the whole of what is sought at each place
  if (typeof first === 'string' && typeof second === 'string') budget.spend(1 + (first.length * second.length) / 1024)
  for (const each of args) budget.spend(1 + sizeOf(each))
}

/** Comparing two values goes through one of them at most. */
function spendOn(value: unknown, budget: Budget): void {
  budget.spend(1 + sizeOf(value))
  if (isObject(value)) for (const each of Object.values(value)) spendOn(each, budget)
}

/** What touching a value costs, without what is inside of it. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length / 64
  return Array.isArray(value) ? value.length : 0
}

function checkLength(length: number): void {
  if (length > MAX_LIST_LENGTH) throw new Error(`has a list of more than ${MAX_LIST_LENGTH} elements`)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Every node that evaluating this one evaluates: a macro's call stands for the loop that it is expanded to. */
function nodesOf(tree: Node): Node[] {
  const found: Node[] = []
  const open: unknown[] = [tree]
  while (open.length > 0) {
    const next = open.pop()
    if (Array.isArray(next)) open.push(...next)
    if (!isNode(next)) continue
    const node = next.meta.alternate ?? next
    found.push(node)
    if (node.op !== 'comprehension') open.push(node.args)
    else open.push((node.args as Loop).iterable, (node.args as Loop).step)
  }
  return found
}

function isNode(value: unknown): value is Node {
  return isObject(value) && 'op' in value && 'meta' in value
}
