import { Environment, type ParseResult } from '@marcbachmann/cel-js'
import { MAX_EXPRESSION_DEPTH, MAX_EXPRESSION_NODES } from './limits.ts'

/**
 * The Common Expression Language as definitions speak it. Every number of JSON is a double and every literal like `1` an
 * int: both may be mixed, which plain CEL refuses. Optional types are off, lists and maps may hold anything.
 */
const environment = mixedNumbers(
  new Environment({
    // which names there are depends on the place: `references` decides
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: false,
    limits: {
      maxAstNodes: MAX_EXPRESSION_NODES,
      maxDepth: MAX_EXPRESSION_DEPTH,
      maxListElements: MAX_EXPRESSION_NODES,
      maxMapEntries: MAX_EXPRESSION_NODES,
      maxCallArguments: 8,
    },
  }),
)

/** @throws the library's ParseError. */
export function parseCel(source: string): ParseResult {
  return environment.parse(source)
}

function mixedNumbers(target: Environment): Environment {
  const operations: Record<string, (a: number, b: number) => number> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
    '%': (a, b) => a % b,
  }
  for (const [operator, apply] of Object.entries(operations)) {
    const mixed = (a: number | bigint, b: number | bigint) => apply(Number(a), Number(b))
    target.registerOperator(`double ${operator} int: double`, mixed)
    target.registerOperator(`int ${operator} double: double`, mixed)
  }
  // CEL has it for integers only, and no number of JSON is one
  return target.registerOperator('double % double: double', (a: number, b: number) => a % b)
}

/** What may be called. All else is refused: regular expressions hang, `cel.bind` doubles lists, bytes are not JSON. */
export const FUNCTIONS: ReadonlySet<string> = new Set([
  ...['size', 'has', 'dyn', 'type', 'string', 'int', 'double', 'bool', 'timestamp', 'duration'],
])
export const METHODS: ReadonlySet<string> = new Set([
  ...['size', 'startsWith', 'endsWith', 'contains', 'indexOf', 'lastIndexOf', 'substring', 'split', 'join'],
  ...['trim', 'lowerAscii', 'upperAscii', 'getFullYear', 'getMonth', 'getDate', 'getDayOfMonth', 'getDayOfWeek'],
  ...['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'],
])
/** The macros that go through a list: the first argument names the element. */
export const LOOPS: ReadonlySet<string> = new Set(['map', 'filter', 'all', 'exists', 'exists_one'])

/** Names that are taken: types, for `type(x) == string`, and two namespaces of the library that nobody needs. */
export const TYPE_NAMES: ReadonlySet<string> = new Set([
  ...['string', 'bool', 'int', 'double', 'map', 'list', 'null_type', 'type'],
])
export const TAKEN_NAMES: ReadonlySet<string> = new Set([...TYPE_NAMES, 'uint', 'bytes', 'cel', 'google', 'optional'])

/** The library's message without its drawing of the source. */
export function celProblem(error: unknown): string {
  if (!(error instanceof Error)) return 'cannot be evaluated'
  const { summary, code } = error as { summary?: unknown; code?: unknown }
  if (code === 'unsupported_type')
    return 'meets an object with a member "constructor", which expressions cannot read: rename the member'
  const text = typeof summary === 'string' ? summary : error.message
  return `failed: ${text.replaceAll(/dyn<([^<>]*)>/g, '$1')}`
}
