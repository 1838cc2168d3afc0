import { parseRunId, showRunId } from '../core/ids.ts'
import { hasEnded, type RunKind } from '../core/status.ts'
import type { RunRow } from '../db/rows.ts'
import { groupResult } from '../executor/workflow/group-result.ts'
import { showQueue } from '../executor/workflow/queues.ts'
import { AttemptRef, withRunningAttempt } from './attempt.ts'
import { builder } from './builder.ts'
import type { Context } from './context.ts'
import { RunStatusRef } from './enums.ts'
import { RunEventRef } from './event.ts'
import { within } from './malformed.ts'
import { RunErrorRef } from './run-error.ts'

const MAX_EVENTS = 1_000

/** Which object type a run is. */
const TYPES: Record<RunKind, string> = {
  ACTION: 'ActionRun',
  WORKFLOW: 'WorkflowRun',
  GROUP: 'StepRun',
  WAIT: 'StepRun',
  VALUE: 'StepRun',
}

export const NodeRef = builder.interfaceRef<RunRow>('Node').implement({
  description: 'Anything with an id of its own.',
  resolveType: ({ kind }) => TYPES[kind],
  fields: (t) => ({
    id: t.id({
      nullable: false,
      description: 'A TypeID, like run_01h455vb4pex5vsknk084sn02q.',
      resolve: ({ id }) => showRunId(id),
    }),
  }),
})

export const RunRef = builder.interfaceRef<RunRow>('Run').implement({
  description: 'One execution, of an action or of a workflow: where it is, and everything that led there.',
  resolveType: ({ kind }) => TYPES[kind],
  fields: (t) => ({
    id: t.id({ nullable: false, description: 'A TypeID: run_ and 26 characters.', resolve: ({ id }) => showRunId(id) }),
    name: t.exposeString('name', { nullable: false, description: 'Of the action or workflow.' }),
    version: t.exposeString('version', { nullable: false, description: 'Of the definition that it was submitted to.' }),
    status: t.expose('status', { type: RunStatusRef, nullable: false, description: 'Where it is.' }),
    idempotencyKey: t.exposeString('idempotencyKey', { description: "The caller's token for the intent." }),
    params: t.field({ type: 'JSON', description: 'As the caller gave them.', resolve: ({ params }) => params }),
    result: t.field({
      type: 'JSON',
      description: 'Once it has SUCCEEDED, or what it was SKIPPED with.',
      resolve: (run, _, context) => resultOf(run, context),
    }),
    error: t.field({
      type: RunErrorRef,
      description: 'What it FAILED with; why it was CANCELED or is INDETERMINATE.',
      resolve: ({ error }) => error,
    }),
    heartbeat: t.field({
      type: 'JSON',
      description: 'The last progress its handler recorded.',
      resolve: (run) => run.heartbeat,
    }),
    priority: t.exposeInt('priority', { nullable: false, description: 'Higher ones run first.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: false, description: 'When it was recorded.' }),
    availableAt: t.expose('availableAt', {
      type: 'DateTime',
      description:
        'While SCHEDULED: when it will run, e.g. the next attempt after a backoff. While QUEUED: since when it may.',
    }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When its first attempt began.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', description: 'When it ended.' }),
    durationMs: t.float({
      description:
        'From its first start to its end, in milliseconds, waits and backoffs included; null before it has ended.',
      resolve: durationMs,
    }),
    stepKey: t.exposeString('stepKey', {
      description: 'Its key in the workflow that it is a step of; null for a root.',
    }),
    stepIndex: t.exposeInt('stepIndex', {
      description: 'Which one of a list or a loop it is, from 0; null otherwise.',
    }),
    paused: t.exposeBoolean('paused', {
      nullable: false,
      description: 'Whether somebody paused it: nothing new begins.',
    }),
    blockedBy: t.string({
      description: 'While QUEUED: why no worker takes it, where that is so.',
      resolve: ({ status, paused, queue, name }, _, { executor }) => {
        if (status !== 'QUEUED') return null
        return paused ? 'It is paused.' : withoutWorker(queue ?? name, executor)
      },
    }),
    waitsFor: t.field({
      type: 'JSON',
      description: 'While WAITING: for what. `kind` is time, signal, approval, run or limit.',
      resolve: ({ wait, status }) => (status === 'WAITING' ? wait : null),
    }),
    attempts: t.field({
      type: [AttemptRef],
      nullable: { list: false, items: false },
      description: 'Every try, oldest first, each with its own error.',
      resolve: async (run, _, { loaders }) => withRunningAttempt(run, await loaders.attempts.load(run.id)),
    }),
    events: t.field({
      type: [RunEventRef],
      nullable: { list: false, items: false },
      description: 'What happened to it, by seq.',
      args: {
        after: t.arg.int({ defaultValue: 0, description: 'Only events with a higher seq.' }),
        first: t.arg.int({ defaultValue: 100, description: `At most so many; at most ${MAX_EVENTS}.` }),
      },
      resolve: (run, { after, first }, { loaders }) =>
        loaders.events.load({
          rootId: run.rootId,
          runId: run.id,
          after: within('after', after ?? 0, 0, 2_147_483_647),
          first: within('first', first ?? 100, 0, MAX_EVENTS),
        }),
    }),
    lastSeq: t.exposeInt('lastSeq', {
      nullable: false,
      description: 'The seq of its newest event: where a subscription picks up from.',
    }),
    isEnded: t.boolean({
      nullable: false,
      description: 'Whether nothing more happens to it by itself.',
      resolve: ({ status }) => hasEnded(status),
    }),
  }),
})

/** Between the two moments, where both have come. */
export function durationMs({ startedAt, finishedAt }: Pick<RunRow, 'startedAt' | 'finishedAt'>): number | null {
  return startedAt && finishedAt ? finishedAt.getTime() - startedAt.getTime() : null
}

async function withoutWorker(queue: string, executor: Context['executor']): Promise<string | null> {
  return (await executor.liveQueues.get()).has(queue) ? null : `No live worker has registered ${showQueue(queue)}.`
}

/**
 * A list or a loop has no result of its own: it is that of its runs. Of all others it is at hand: a promise there would make
 * one of every object around it.
 */
export function resultOf(run: RunRow, context: Context): unknown {
  const { kind, status, parentGraph } = run
  return kind === 'GROUP' && status === 'SUCCEEDED' && parentGraph !== null
    ? collectedResult(run, parentGraph, context)
    : run.result
}

async function collectedResult(run: RunRow, graph: string, { loaders, executor }: Context): Promise<unknown> {
  const compiled = await executor.workflows.graphs.compiled(graph)
  return groupResult(compiled, run, await loaders.steps.load(run.id))
}

export const ActionRunRef = builder.objectRef<RunRow>('ActionRun').implement({
  description: 'One execution of an action.',
  interfaces: [RunRef, NodeRef],
})

builder.queryField('run', (t) =>
  t.field({
    type: RunRef,
    description: 'A run by its id; null when there is none.',
    args: { id: t.arg.id({ required: true, description: 'run_ and 26 characters.' }) },
    resolve: (_, { id }, context) => loadRun(id, context),
  }),
)

builder.queryField('node', (t) =>
  t.field({
    type: NodeRef,
    description: 'Anything by its id; null when there is none.',
    args: { id: t.arg.id({ required: true, description: 'A TypeID.' }) },
    resolve: (_, { id }, context) => loadRun(id, context),
  }),
)

async function loadRun(shown: string, { loaders }: Context): Promise<RunRow | null> {
  const id = parseRunId(shown)
  return id === undefined ? null : ((await loaders.runs.load(id)) ?? null)
}
