import type { ASTNode } from '@marcbachmann/cel-js'
import { FUNCTIONS, LOOPS, METHODS, TAKEN_NAMES, TYPE_NAMES } from './cel.ts'
import { MAX_MACRO_NESTING } from './limits.ts'

/** What an expression may name where it stands. */
export interface Names {
  /** Names of the place itself: `params`, in a list `item` and `index`, … */
  readonly own: ReadonlySet<string>
  /** Every step of the definition; whether one comes before is checked later. */
  readonly steps: ReadonlySet<string>
}

/** What an expression names, found without evaluating it, and what is wrong with it. */
export interface References {
  readonly own: Set<string>
  readonly steps: Set<string>
  readonly problems: string[]
}

/** Members that lead to JavaScript's own objects. The library does not follow them; a definition that tries is refused. */
const FORBIDDEN_MEMBERS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

const NEEDS_KEY = 'needs the key of a step in quotes: steps["my-key"]'

export function referencesOf(tree: ASTNode, names: Names): References {
  const walk = new Walk(names)
  walk.visit(tree, new Set(), 0)
  return walk.found
}

class Walk {
  readonly found: References = { own: new Set(), steps: new Set(), problems: [] }
  readonly #names: Names

  constructor(names: Names) {
    this.#names = names
  }

  /** @param bound the variables of the macros around this node; `loops` counts those macros. */
  visit(node: ASTNode, bound: ReadonlySet<string>, loops: number): void {
    switch (node.op) {
      case 'value':
        if (typeof node.args === 'object' && node.args !== null) this.#wrong('holds bytes or an unsigned number')
        return
      case 'id':
        this.#identifier(node.args, bound)
        return
      case '.':
      case '[]':
        this.#access(node, bound, loops)
        return
      case 'call':
        this.#call(node.args, bound, loops)
        return
      case 'rcall':
        this.#method(node.args, bound, loops)
        return
      default:
        for (const child of childrenOf(node)) this.visit(child, bound, loops)
    }
  }

  #access(node: Extract<ASTNode, { op: '.' | '[]' }>, bound: ReadonlySet<string>, loops: number): void {
    const [left, right] = node.args
    const member = typeof right === 'string' ? right : literalOf(right)
    if (member !== undefined && FORBIDDEN_MEMBERS.has(member)) this.#wrong(`asks for the member ${member}`)
    if (left.op === 'id' && left.args === 'steps' && !bound.has('steps')) this.#step(member)
    else {
      this.visit(left, bound, loops)
      if (typeof right !== 'string') this.visit(right, bound, loops)
    }
  }

  #step(key: string | undefined): void {
    if (key === undefined) this.#wrong(NEEDS_KEY)
    else if (this.#names.steps.has(key)) this.found.steps.add(key)
    else this.#wrong(`names the step ${key}, which there is not`)
  }

  #identifier(name: string, bound: ReadonlySet<string>): void {
    if (bound.has(name)) return
    if (name === 'steps') this.#wrong(NEEDS_KEY)
    else if (this.#names.own.has(name)) this.found.own.add(name)
    else if (TAKEN_NAMES.has(name)) this.#taken(name)
    else if (this.#names.steps.has(name)) this.found.steps.add(name)
    else this.#wrong(`names ${name}, which is not known here: there are ${this.#known()} and the steps before this one`)
  }

  #taken(name: string): void {
    if (this.#names.steps.has(name)) this.#wrong(`names ${name}, which means something else: write steps["${name}"]`)
    else if (!TYPE_NAMES.has(name)) this.#wrong(`names ${name}, which is not available`)
  }

  #known(): string {
    return [...this.#names.own].join(', ')
  }

  #call([name, args]: readonly [string, readonly ASTNode[]], bound: ReadonlySet<string>, loops: number): void {
    if (!FUNCTIONS.has(name)) this.#wrong(`calls ${name}(), which is not available`)
    for (const each of args) this.visit(each, bound, loops)
  }

  #method(
    [name, receiver, args]: readonly [string, ASTNode, readonly ASTNode[]],
    bound: ReadonlySet<string>,
    loops: number,
  ): void {
    this.visit(receiver, bound, loops)
    const [variable] = args
    if (!LOOPS.has(name)) {
      if (!METHODS.has(name)) this.#wrong(`calls ${name}(), which is not available`)
      if (name.startsWith('get') && args.length > 0) this.#wrong(`calls ${name}() with a time zone: use UTC`)
      for (const each of args) this.visit(each, bound, loops)
    } else if (variable?.op !== 'id') this.#wrong(`calls ${name}() without a name for the element`)
    else {
      if (loops >= MAX_MACRO_NESTING) this.#wrong(`nests loops deeper than ${MAX_MACRO_NESTING} levels`)
      const inner = new Set([...bound, variable.args])
      for (const each of args.slice(1)) this.visit(each, inner, loops + 1)
    }
  }

  #wrong(problem: string): void {
    this.found.problems.push(problem)
  }
}

function literalOf(node: ASTNode): string | undefined {
  return node.op === 'value' && typeof node.args === 'string' ? node.args : undefined
}

/** The operands of an operator, a list or a map. */
function childrenOf(node: ASTNode): ASTNode[] {
  const given: unknown = node.args
  return Array.isArray(given) ? (given.flat() as ASTNode[]) : [given as ASTNode]
}
