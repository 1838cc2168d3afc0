import { parseArgs } from 'node:util'

export interface Options {
  readonly quick: boolean
  readonly rounds: number
  readonly roundMs: number
  /** How long a contender works before the first round of a case, uncounted. */
  readonly warmUpMs: number
  /** Names of scenarios; all, without it. */
  readonly only: readonly string[] | undefined
  /** Names of contenders; all, without it. */
  readonly peers: readonly string[] | undefined
  /** Where the results of this run go besides. */
  readonly json: string | undefined
}

export class UsageError extends Error {}

export const USAGE = `npm run bench -- [options]

  --quick            shorter rounds and fewer cases: about two minutes
  --only <names>     these scenarios, separated by commas
  --peers <names>    these contenders only; nothing is recorded in bench/results
  --rounds <n>       1 to 20, default 3
  --json <file>      write the results of this run there too
  --help             this text

  BENCH_DATABASE_URL=postgres://…  a Postgres to measure on; else an embedded one`

const ROUND_MS = { quick: 400, full: 2_000 }
/** A workflow of ten steps takes a third less of the processor after four seconds than after one: Node compiles what is used much. */
const WARM_UP_MS = { quick: 200, full: 4_000 }
const MAX_ROUNDS = 20

/** Reads the command line. Throws a `UsageError` that says what would be right. `undefined`: help was asked for. */
export function parseOptions(
  args: readonly string[],
  scenarios: readonly string[],
  contenders: readonly string[],
): Options | undefined {
  const values = parse(args)
  if (values.help) return undefined
  const quick = values.quick ?? false
  return {
    quick,
    rounds: roundsOf(values.rounds ?? '3'),
    roundMs: quick ? ROUND_MS.quick : ROUND_MS.full,
    warmUpMs: quick ? WARM_UP_MS.quick : WARM_UP_MS.full,
    only: names('--only', values.only, scenarios),
    peers: names('--peers', values.peers, contenders),
    json: values.json,
  }
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const options = { quick: flag, help: flag, only: text, peers: text, rounds: text, json: text }
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function roundsOf(text: string): number {
  const rounds = Number(text)
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > MAX_ROUNDS)
    throw new UsageError(`--rounds is "${text}"; it must be a whole number, 1 to ${MAX_ROUNDS}`)
  return rounds
}

function names(option: string, given: string | undefined, known: readonly string[]): readonly string[] | undefined {
  if (given === undefined) return undefined
  const all = given.split(',').map((name) => name.trim())
  const unknown = all.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new UsageError(`${option} knows no "${unknown}"; there are ${known.join(', ')}`)
  return all
}
