import { setImmediate as nextTurn } from 'node:timers/promises'
import { RequestError } from '../../core/request-errors.ts'
import type { RunRow } from '../../db/rows.ts'
import type { Executor } from '../executor.ts'
import { type Submission, whileUnavailable } from '../submissions.ts'
import { checkBounds } from './check-request.ts'
import {
  announced,
  attach,
  type DescribedRun,
  describeRun,
  inserted,
  launching,
  runningAt,
  submitOrAttach,
} from './execute-action.ts'
import type { ActionRequest, Executed } from './execution.ts'
import { recordedEarlier } from './recorded-earlier.ts'

/**
 * Executes many actions, each with its own outcome: the same as a call of `executeAction` for each that waits for nothing. What is
 * new is inserted together; what was recorded before, stands twice in the list or finds no room goes the way of a single one.
 * Throws where a single one would throw what is no refusal.
 */
export async function executeActions(
  executor: Executor,
  requests: readonly ActionRequest[],
  actor: string,
): Promise<(Executed | RequestError)[]> {
  const parts: Promise<(Executed | RequestError)[]>[] = []
  for (let i = 0; i < requests.length; i += PART) {
    if (i > 0) await nextTurn()
    const described = await Promise.all(
      requests.slice(i, i + PART).map((request) => describeOrRefuse(executor, request, actor)),
    )
    const part = insertPart(executor, described)
    // it is awaited below, with the others
    part.catch(() => {})
    parts.push(part)
  }
  return (await Promise.all(parts)).flat()
}

/** Of a long list the database has the first runs while the next ones are described; and others get their turn in between. */
const PART = 125

async function insertPart(
  executor: Executor,
  described: readonly (DescribedRun | Executed | RequestError)[],
): Promise<(Executed | RequestError)[]> {
  const fresh = new Map<string, DescribedRun>()
  for (const one of described)
    if ('row' in one && !fresh.has(one.row.id) && !executor.submissions.isUnderWay(one.row.id))
      fresh.set(one.row.id, one)
  const together = [...fresh.values()]
  const runs = await executor.submissions.onceForAll([...fresh.keys()], () => insertAll(executor, together))
  const outcomes = new Map(together.map((one, i) => [one, runs[i]] as const))
  return Promise.all(described.map((one) => ('row' in one ? outcomeOf(executor, one, outcomes.get(one)) : one)))
}

/** A run to insert, or what stands in its place. */
async function describeOrRefuse(
  executor: Executor,
  request: ActionRequest,
  actor: string,
): Promise<DescribedRun | Executed | RequestError> {
  try {
    checkBounds(request)
  } catch (error) {
    return refusal(error)
  }
  try {
    return await describeRun(executor, request, actor)
  } catch (refused) {
    return (await recordedEarlier(executor, request, 0, refused)) ?? refusal(refused)
  }
}

/** `exists`: another has made it. `alone`: it was not tried. `thrown`: what a single one would have thrown. */
type Insertion = RunRow | 'exists' | 'alone' | { readonly thrown: unknown }

function insertAll(executor: Executor, described: readonly DescribedRun[]): Promise<Insertion[]> {
  const insertions = new Array<Promise<Insertion>>(described.length)
  const queued = new Map<string, number[]>()
  described.forEach(({ action, row }, i) => {
    const place = row.status === 'QUEUED' ? executor.reserve(action) : undefined
    if (place) {
      const running = runningAt(place, row)
      insertions[i] = settled(launching(executor, place, action, running, executor.submissions.submit(running)))
    } else if (row.status === 'QUEUED') {
      const others = queued.get(action.name)
      if (others) others.push(i)
      else queued.set(action.name, [i])
    } else insertions[i] = settled(insertOne(executor, row, executor.submissions.submit(row)))
  })
  for (const [name, places] of queued) {
    const rows = places.map((i) => described[i] as DescribedRun)
    const entered = enter(executor, name, rows)
    places.forEach((i, k) => {
      insertions[i] = entered.then((all) => all[k] ?? 'alone', thrownAs)
    })
  }
  return Promise.all(insertions)
}

/** Inserts into the queue of one action as many as there is room for. */
async function enter(executor: Executor, name: string, described: readonly DescribedRun[]): Promise<Insertion[]> {
  const { gauge, submissions, options } = executor
  const insert = (admitted: number) =>
    Promise.all(
      described.slice(0, admitted).map(({ row }) => settled(insertOne(executor, row, submissions.submit(row)))),
    )
  const entered = () => gauge.enterUpTo(name, described.length, insert)
  return (await whileUnavailable(options.unavailableMs, entered)) ?? []
}

async function insertOne(
  executor: Executor,
  row: DescribedRun['row'],
  submission: Promise<Submission>,
): Promise<RunRow | undefined> {
  return announced(executor, await inserted(executor, row, await submission))
}

function settled(run: Promise<RunRow | undefined>): Promise<Insertion> {
  return run.then((made) => made ?? 'exists', thrownAs)
}

const thrownAs = (thrown: unknown) => ({ thrown })

async function outcomeOf(
  executor: Executor,
  described: DescribedRun,
  insertion: Insertion = 'alone',
): Promise<Executed | RequestError> {
  try {
    if (typeof insertion === 'object' && 'thrown' in insertion) throw insertion.thrown
    if (typeof insertion === 'object') return { run: insertion, replayed: false }
    const existing = insertion === 'exists' ? await attach(executor, described.row) : undefined
    return existing ?? (await submitOrAttach(executor, described))
  } catch (error) {
    return refusal(error)
  }
}

function refusal(error: unknown): RequestError {
  if (error instanceof RequestError) return error
  throw error
}
