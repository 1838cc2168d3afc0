import { sql } from 'drizzle-orm'
import { boolean, check, index, integer, json, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { bytea, effectClass, eventReason, moment, runKind, runStatus, schema } from './schema.ts'

/** One row for each execution, of an action or of a workflow: where it is now. A step is a run with a parent. */
export const runs = schema.table(
  'runs',
  {
    bucket: smallint('bucket').notNull(),
    id: uuid('id').notNull(),
    kind: runKind('kind').notNull(),
    name: text('name').notNull(),
    /** Of the definition that the run was submitted to. */
    version: text('version').notNull(),
    effect: effectClass('effect').notNull(),
    /** The root's own id for a root: the stream of events is the root's. */
    rootId: uuid('root_id').notNull(),
    parentId: uuid('parent_id'),
    stepKey: text('step_key'),
    /** Of a list's or a loop's runs, which one it is; null for any other. */
    stepIndex: integer('step_index'),
    /** Hash of the graph that a workflow runs. */
    graph: text('graph'),
    /** Hash of the graph that a step belongs to. */
    parentGraph: text('parent_graph'),
    /** Of a step, and of a workflow that waits for its graph: what a worker must have registered to take it. */
    queue: text('queue'),
    /** Nothing of it begins. Beside the state, so that resuming finds everything as it was. */
    paused: boolean('paused').notNull().default(false),
    /** Of a step: dependencies that have not ended yet, and those that were completed. */
    pendingCount: integer('pending_count').notNull().default(0),
    liveCount: integer('live_count').notNull().default(0),
    /** Of a workflow or a group: its steps that go on by themselves, have failed, or wait for a person's word. */
    activeCount: integer('active_count').notNull().default(0),
    failedCount: integer('failed_count').notNull().default(0),
    indeterminateCount: integer('indeterminate_count').notNull().default(0),
    /** Of a group: how many runs it has; of a root: how many there are in its tree. */
    size: integer('size'),
    /**
     * Where it goes on. Of a group: the index of the run to begin next. Of what is being undone: the completed steps below this
     * number of an event are still to be. Of a step with a business key: the event of the shared run that it has failed with.
     */
    nextIndex: integer('next_index'),
    /** How an ended step counts for those that depend on it; null where it holds them up. */
    resolved: text('resolved'),
    /** While WAITING: for what. One of a list or a loop keeps it, for the key and the limit that were computed for it. */
    wait: json('wait'),
    /** While WAITING for a signal: its name. */
    waitName: text('wait_name'),
    /** When a wait ends by itself; of a workflow, its deadline. */
    wakeAt: moment('wake_at'),
    /** The run that this one undoes. */
    undoes: uuid('undoes'),
    /** The run whose execution a step shares: the root under its business key, or the step that it was taken over from. */
    linkedId: uuid('linked_id'),
    /** The limit that a step waits for, or has its turn of. */
    limitKey: text('limit_key'),
    /** The run that this one took results over from. */
    forkedFrom: uuid('forked_from'),
    /** Levels below the root. */
    depth: smallint('depth').notNull().default(0),
    /** Of the event with which it last ended: the order of completion. */
    endedSeq: integer('ended_seq'),
    idempotencyKey: text('idempotency_key'),
    /** SHA-256 of the canonical params as given; kept for the life of the run. */
    fingerprint: bytea('fingerprint').notNull(),
    /** json, not jsonb: a replay gives back what was given. */
    params: json('params').notNull(),
    status: runStatus('status').notNull(),
    /**
     * The status, where an index looks for it: null for what most runs are, and for what they are in between. So a run that
     * begins, ends well and is a step on the way touches no index, and its new version stays on its page (a HOT update).
     */
    indexedStatus: runStatus('indexed_status').generatedAlwaysAs(
      sql`case when status in ('PENDING', 'SUCCEEDED') or (status = 'RUNNING' and (kind <> 'WORKFLOW' or parent_id is not null)) then null else status end`,
    ),
    /** The queue, where a worker looks for it. */
    indexedQueue: text('indexed_queue').generatedAlwaysAs(sql`case when status = 'QUEUED' then queue end`),
    result: json('result'),
    error: json('error'),
    /** The last progress that a handler recorded. */
    heartbeat: json('heartbeat'),
    priority: smallint('priority').notNull(),
    /** Part of the downstream key; grows when an operator asks for a new key or amends the params. */
    generation: integer('generation').notNull(),
    /** The number of the latest attempt; 0 before the first. */
    attempt: integer('attempt').notNull(),
    /** Counted failures and crashes since the retry budget last started. */
    failures: smallint('failures').notNull(),
    losses: smallint('losses').notNull(),
    /** The next worker asks the probe before it runs the handler. */
    probe: boolean('probe').notNull(),
    /** Grows each time the run changes hands; every write by a worker carries it. */
    fence: integer('fence').notNull(),
    /** Set only while an action is RUNNING. What a worker holds is found by `holds`. */
    workerId: text('worker_id'),
    /** Set only while SUCCEEDED: the worker whose attempt did it. That attempt has no row of its own. */
    succeededBy: text('succeeded_by'),
    /** Set only while QUEUED or SCHEDULED: when it may run. */
    availableAt: moment('available_at'),
    /** The number of its newest event; of a root, of the newest in its stream, as of when the row was written last (`last-seq.ts`). */
    lastSeq: integer('last_seq').notNull(),
    createdAt: moment('created_at').notNull(),
    /** When the first attempt began. */
    startedAt: moment('started_at'),
    /** When the latest attempt began. */
    attemptStartedAt: moment('attempt_started_at'),
    /** When the first attempt of the present retry budget began; of a workflow or a group, its present go. Null: not begun. */
    budgetStartedAt: moment('budget_started_at'),
    finishedAt: moment('finished_at'),
    /** Of a single action whose first event is no row: its reason, STARTED or SUBMITTED, and who asked. */
    opening: eventReason('opening'),
    submittedBy: text('submitted_by'),
    /** Whether the second event is that the first attempt began, and is no row. */
    tellsStart: boolean('tells_start').notNull().default(false),
    /** Whether the last event is that the handler returned, and is no row. */
    tellsEnd: boolean('tells_end').notNull().default(false),
  },
  (run) => [
    primaryKey({ columns: [run.bucket, run.id] }),
    // One constraint for all: Postgres parses each anew for every statement. None of its parts can be null.
    check(
      'runs_consistent',
      sql`${run.bucket} between 0 and 1023
        and (${run.status} = 'RUNNING' and ${run.kind} = 'ACTION') = (${run.workerId} is not null)
        and (${run.status} in ('QUEUED', 'SCHEDULED')) = (${run.availableAt} is not null)
        and (${run.status} in ('SUCCEEDED', 'FAILED', 'CANCELED', 'SKIPPED', 'COMPENSATED')) = (${run.finishedAt} is not null)
        and (${run.result} is null or ${run.status} in ('SUCCEEDED', 'SKIPPED', 'COMPENSATING', 'COMPENSATED'))
        and (${run.succeededBy} is null or ${run.status} = 'SUCCEEDED')
        and (${run.parentId} is null) = (${run.stepKey} is null)
        and (not ${run.tellsEnd} or ${run.status} = 'SUCCEEDED')`,
    ),
    // What workers claim from: only work that may run now, in the order in which it is to run.
    index('runs_ready')
      .on(run.name, run.priority.desc().nullsFirst(), run.availableAt)
      .where(
        sql`${run.indexedStatus} = 'QUEUED' and ${run.kind} = 'ACTION' and ${run.parentId} is null and not ${run.paused}`,
      ),
    index('runs_ready_steps')
      .on(run.indexedQueue, run.priority.desc().nullsFirst(), run.availableAt)
      .where(sql`${run.indexedQueue} is not null and not ${run.paused}`),
    index('runs_children').on(run.parentId).where(sql`${run.parentId} is not null`),
    index('runs_to_wake').on(run.wakeAt).where(sql`${run.wakeAt} is not null`),
    index('runs_waiting_for').on(run.rootId, run.waitName).where(sql`${run.waitName} is not null`),
    index('runs_linked').on(run.linkedId).where(sql`${run.indexedStatus} = 'WAITING' and ${run.linkedId} is not null`),
    index('runs_limited').on(run.limitKey).where(sql`${run.indexedStatus} = 'WAITING' and ${run.limitKey} is not null`),
    index('runs_due').on(run.availableAt).where(sql`${run.indexedStatus} = 'SCHEDULED'`),
    // What lists read, from the end: newest first. What grows at its end finds its page without a search, and fills its pages; in
    // the order of the lists, the first would be nearly twice as large. QUEUED and SCHEDULED have their indexes above, SUCCEEDED is
    // what most runs are.
    index('runs_newest').on(run.createdAt, run.id).where(sql`${run.parentId} is null`),
    index('runs_newest_of_name').on(run.name, run.createdAt, run.id).where(sql`${run.parentId} is null`),
    index('runs_newest_of_status')
      .on(run.indexedStatus, run.createdAt, run.id)
      .where(
        sql`${run.parentId} is null and ${run.indexedStatus} in ('RUNNING', 'WAITING', 'FAILED', 'CANCELED', 'SKIPPED', 'INDETERMINATE', 'COMPENSATING', 'COMPENSATED')`,
      ),
  ],
)
