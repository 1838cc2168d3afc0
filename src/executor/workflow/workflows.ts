import type { Logger } from 'pino'
import { showRunId } from '../../core/ids.ts'
import type { Decision } from '../../core/outcome.ts'
import type { Database, UserTransaction } from '../../db/client.ts'
import { dueTreeWork, queuedSteps } from '../../db/reads/tree-work.ts'
import type { RunRow } from '../../db/rows.ts'
import type { EndedRow } from '../../db/transitions/end-attempts.ts'
import { Loop } from '../loop.ts'
import type { ExecutorOptions } from '../options.ts'
import type { RegisteredAction, Registry } from '../registry.ts'
import type { Worker } from '../worker.ts'
import type { Advance, Link } from './advance.ts'
import { Begins } from './begins.ts'
import { becomeDue, byTree, claimCommands, enterQueued } from './claim-steps.ts'
import { endAttemptCommand } from './end-attempt.ts'
import { Graphs } from './graphs.ts'
import type { Host } from './host.ts'
import { LimitTurns } from './limit-turns.ts'
import { ParamsCache } from './params-cache.ts'
import { entryQueues } from './queues.ts'
import { asRunRow } from './run-row.ts'
import type { TreeCommand } from './tree-command.ts'
import { TreeCommits } from './tree-commits.ts'

/** What workflows tell the rest of their node, and ask of it. */
export interface WorkflowEvents {
  worker(): Worker
  /** A tree changed. */
  changed(advance: Advance): void
  /** Work was put into these queues. */
  queued(queues: Iterable<string>): void
  /** Runs were taken from their workers. */
  revoked(runIds: readonly string[]): void
  /** Something waits for a time. */
  timed(): void
  /** A step waits for a run under its business key; `again`: one that has failed is to run again. */
  linked(link: Link): void
}

/** What ends the attempts of steps. */
export type StepEnds = Pick<Workflows, 'endAttempt'>

/** One turn's worth of what is due or waits for its graph. */
const BATCH = 500

/** Advances the trees of one node: everything that happens to a workflow goes through here. */
export class Workflows {
  readonly graphs: Graphs
  readonly commits: TreeCommits
  readonly host: Host
  private readonly limits: LimitTurns
  private readonly entering: Loop
  private readonly queues: { queue: string; slots: number }[]
  private readonly db: Database
  private readonly registry: Registry
  private readonly on: WorkflowEvents
  private readonly log: Logger

  constructor(db: Database, registry: Registry, options: ExecutorOptions, log: Logger, on: WorkflowEvents) {
    this.db = db
    this.registry = registry
    this.on = on
    this.log = log
    this.graphs = new Graphs(db, registry)
    this.queues = entryQueues(registry).map((queue) => ({ queue, slots: BATCH }))
    this.host = hostOf(this.graphs, registry, options, on)
    this.commits = new TreeCommits(db, this.host, options.unavailableMs, {
      committed: (advance) => this.committed(advance),
      begin: (advance) => this.begin(advance),
    })
    this.limits = new LimitTurns(db, this.commits, options, log)
    this.entering = new Loop('beginning queued steps', log, () => this.enter(options.pollMs))
  }

  /** Keeps the graphs of the code; then, where the node executes, goes on with what waits for them. */
  async start(executes: boolean): Promise<void> {
    await this.graphs.save()
    if (!executes) return
    this.entering.wake()
    this.limits.start()
  }

  async stop(): Promise<void> {
    await Promise.all([this.entering.stop(), this.limits.stop()])
  }

  /** Something may wait for a graph that this node has. */
  wake(): void {
    this.entering.wake()
  }

  /** Ends the attempt of a step; `undefined` when another hand has it. Rejects as the database does. */
  async endAttempt(run: RunRow, decision: Decision, beforehand: () => void): Promise<EndedRow | undefined> {
    const outcome = await this.commits.submitOnce(this.endCommand(run, decision, beforehand))
    return outcome.kind === 'applied' ? outcome.value : undefined
  }

  /** The same in the handler's own transaction: the advance of the workflow commits with the handler's writes. */
  endAttemptIn(tx: UserTransaction, run: RunRow, decision: Decision, beforehand: () => void) {
    return this.commits.within(tx, this.endCommand(run, decision, beforehand))
  }

  private endCommand(run: RunRow, decision: Decision, beforehand: () => void) {
    const graph = run.parentGraph === null ? undefined : this.registry.graph(run.parentGraph)
    return endAttemptCommand(run, decision, graph, beforehand)
  }

  /** Takes queued steps for this node's worker. Answers with how many. */
  async claim(queues: readonly { queue: string; slots: number }[], total: number): Promise<number> {
    const work = await queuedSteps(this.db, queues, total)
    return this.each(claimCommands(work.slice(0, total)))
  }

  /** Lets go on whose time has come. */
  async enqueueDue(): Promise<number> {
    const work = await dueTreeWork(this.db, BATCH)
    await this.each(byTree(work, becomeDue))
    return work.length
  }

  private async enter(pollMs: number): Promise<number> {
    const work = await queuedSteps(this.db, this.queues, BATCH)
    await this.each(byTree(work, enterQueued))
    return work.length === BATCH ? 0 : pollMs
  }

  /** Applies commands side by side. One that fails is logged and leaves the others alone: its work is found again. */
  private async each(commands: readonly TreeCommand<number>[]): Promise<number> {
    const settled = await Promise.allSettled(commands.map((command) => this.commits.submitOnce(command)))
    let sum = 0
    settled.forEach((one, i) => {
      if (one.status === 'fulfilled') sum += one.value.kind === 'applied' ? one.value.value : 0
      else
        this.log.warn(
          { err: one.reason, run: showRunId(commands[i]!.rootId) },
          'a workflow could not go on; it is tried again',
        )
    })
    return sum
  }

  private begin({ started }: Advance): void {
    const worker = this.on.worker()
    const { begins } = this.host
    for (const { row, fence, params, action } of started) {
      // begun and canceled by the same cause, begun again since, or given so long ago, or to so old a lease, that others may have it
      const stands = row.status === 'RUNNING' && row.fence === fence && row.workerId === worker.id
      if (stands && begins.has(row.id)) worker.launchReserved(asRunRow(row, params), action)
      else worker.release(action)
    }
    for (const { row } of started) begins.drop(row.id)
  }

  /** Whether a commit under way may yet bring this run to this node's worker. */
  isBeginning(runId: string): boolean {
    return this.host.begins.has(runId)
  }

  private committed(advance: Advance): void {
    const { revoked, queued } = advance
    this.on.changed(advance)
    if (revoked.length > 0) this.on.revoked(revoked)
    if (queued.size > 0) this.on.queued(queued)
    if (advance.timed) this.on.timed()
    this.limits.settle(advance)
    for (const link of advance.links) this.on.linked(link)
  }
}

function hostOf(graphs: Graphs, registry: Registry, options: ExecutorOptions, on: WorkflowEvents): Host {
  return {
    compiled: (hash) => graphs.compiled(hash),
    logic: (compiled) => graphs.logic(compiled),
    current: (name) => graphs.current(name),
    action: (name) => registry.get(name),
    reserve: (action: RegisteredAction) => on.worker().reserve(action),
    release: (action: RegisteredAction) => on.worker().release(action),
    get workerId() {
      return on.worker().id
    },
    begins: new Begins(),
    params: new ParamsCache(),
    maxParamsBytes: options.maxParamsBytes,
    maxResultBytes: options.maxResultBytes,
  }
}
