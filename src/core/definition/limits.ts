/** The bounds of a definition: it comes from a stranger, is compiled on every node, and its expressions run on the event loop. */

export const MAX_STEPS = 10_000
/** Bytes of its JSON. */
export const MAX_DEFINITION_BYTES = 1_048_576
export const MAX_NAME_LENGTH = 100
export const MAX_DESCRIPTION_LENGTH = 2_000
/** Elements at work at once, of a list or of a limit. */
export const MAX_AT_ONCE = 10_000
/** Items of a list. */
export const MAX_ITEMS = 10_000
/** Iterations of a loop. */
export const MAX_ITERATIONS = 10_000
/** What setTimeout can wait, in milliseconds. */
export const MAX_TIMEOUT_MS = 2_147_483_647

/** Expressions of one definition: compiling one takes about 20 µs. */
export const MAX_EXPRESSIONS = 20_000
/** Characters of one expression. */
export const MAX_EXPRESSION_LENGTH = 4_096
/** Nodes of its syntax tree, and how deep that tree may be. */
export const MAX_EXPRESSION_NODES = 500
export const MAX_EXPRESSION_DEPTH = 40
/** A macro such as `map` inside another one; a third would make the work cubic. */
export const MAX_MACRO_NESTING = 2
/** Elements of a list that an expression goes through or makes. */
export const MAX_LIST_LENGTH = 10_000
/** Operations that one template may take, all its expressions together: well below a second. */
export const MAX_WORK = 1_000_000
/** Characters and values that one template may give. Four times what params may take. */
export const MAX_OUTPUT = 4_194_304

/** Bytes of a JSON Schema inside of a definition, its subschemas, and how deep they nest. */
export const MAX_SCHEMA_BYTES = 65_536
export const MAX_SUBSCHEMAS = 1_000
export const MAX_SCHEMA_DEPTH = 32
