import type { Logger } from 'pino'
import { showRunId } from '../core/ids.ts'
import { InvalidInputError } from '../core/request-errors.ts'
import { expireLease } from '../db/leases.ts'
import { runsByIds } from '../db/reads/runs.ts'
import { attemptsHeldBy, oldRemoteAttempts, type RemoteWorker } from '../db/remote-workers.ts'
import type { RunRow } from '../db/rows.ts'
import type { Executor } from '../executor/executor.ts'
import { AttemptEnds } from '../executor/persist.ts'
import type { Place } from '../executor/place.ts'
import { endAbandoned, recoverLostRuns } from '../executor/recover-lost-runs.ts'
import type { RegisteredAction } from '../executor/registry.ts'
import { type ClaimRequest, Claims } from './claims.ts'
import { type EndedRun, type Ending, RemoteEnds } from './ends.ts'
import { type Handed, HandOver } from './hand-over.ts'
import { KnownWorkers } from './known-workers.ts'
import { type AttemptName, Leases, nameOf, type Renewal, type Renewed } from './leases.ts'
import { type Registration, register } from './register.ts'

/** How long over its timeout an attempt may go on, before the server ends it: the worker itself cuts it sooner. */
const OVERDUE_MS = 30_000

/** A worker that may claim runs for `leaseMs`, with its actions as callers see them. */
export interface RegisteredWorker {
  readonly worker: RemoteWorker
  readonly actions: readonly RegisteredAction[]
  readonly leaseMs: number
}

/**
 * The node's side of remote workers: they register, ask for runs, keep their lease and say how attempts ended. All that is known of
 * them is in the database, so that any node answers any of it.
 */
export class RemoteWorkers {
  readonly known: KnownWorkers
  private readonly claims: Claims
  private readonly handOver: HandOver
  private readonly leases: Leases
  private readonly ends: RemoteEnds
  private readonly executor: Executor
  private readonly log: Logger

  constructor(executor: Executor, log: Logger) {
    const { db, registry, options, waits, workflows } = executor
    this.executor = executor
    this.log = log
    this.known = new KnownWorkers(db, registry, workflows.graphs)
    this.handOver = new HandOver(db, workflows.commits, this.known)
    this.claims = new Claims(options.pollMs, (request) => this.take(request))
    this.leases = new Leases(db, options)
    this.ends = new RemoteEnds({
      db,
      options,
      waits,
      ends: new AttemptEnds(db, workflows, log),
      workers: this.known,
      changed: (run) => this.changed(run),
    })
  }

  /** Registers a worker; every node serves its actions within seconds. */
  async register(registration: Registration, actor: string): Promise<RegisteredWorker> {
    const { db, registry, options, registered } = this.executor
    const parts = { db, registry, workers: this.known, leaseMs: options.leaseMs }
    const worker = await register(parts, registration, actor)
    await registered.announce()
    const actions = Object.keys(worker.actions).flatMap((name) => registry.get(name) ?? [])
    return { worker, actions, leaseMs: options.leaseMs }
  }

  /**
   * Gives a worker runs, as soon as there are some.
   * @param holding all that it has in hand: then it is given first what the database says that it has, and is not among them.
   * @throws WorkerNotFoundError, InvalidInputError for a name that it has not registered
   */
  async claim(request: ClaimRequest, holding: readonly AttemptName[] | undefined): Promise<Handed[]> {
    const { actions } = await this.known.get(request.workerId)
    const unknown = request.names.find((name) => !Object.hasOwn(actions, name))
    if (unknown !== undefined)
      throw new InvalidInputError('names', `has ${JSON.stringify(unknown)}, which the worker has not registered`)
    if (holding) {
      await this.claims.release(request.workerId)
      const again = (await this.missing(request.workerId, holding)).slice(0, request.limit)
      if (again.length > 0) return await this.withActions(request.workerId, again)
    }
    return await this.claims.claim(request)
  }

  /** @throws WorkerNotFoundError */
  async renew(renewal: Renewal): Promise<Renewed> {
    try {
      return await this.leases.renew(renewal)
    } catch (error) {
      this.known.forget(renewal.workerId)
      throw error
    }
  }

  end(workerId: string, attempt: AttemptName, ending: Ending): Promise<EndedRun> {
    return this.ends.end(workerId, attempt, ending)
  }

  /**
   * A worker stops: what it has goes to others at once.
   * @param begun the attempts that it has begun and says nothing more of; of all others it never heard. Absent: all were begun.
   * @returns how many runs were handed on.
   */
  async stopWorker(workerId: string, begun: readonly AttemptName[] | undefined): Promise<number> {
    const { db, registry, workflows, options } = this.executor
    await this.claims.release(workerId)
    const runs = begun ? await this.missing(workerId, begun) : []
    const back = await endAbandoned(db, registry, workflows, options.maxLosses, runs, 'not-started')
    this.known.forget(workerId)
    await expireLease(db, workerId)
    const lost = await recoverLostRuns(db, registry, workflows, options.maxLosses, this.log)
    const handedOn = [...back, ...lost]
    for (const run of handedOn) this.executor.requeued(run)
    await this.executor.registered.announce()
    return handedOn.filter((run) => run.workerId === workerId).length
  }

  /** Ends attempts that take much longer than they may: their worker lives and says nothing. Forgets workers that are gone. */
  async endOverdue(): Promise<void> {
    this.known.live.forget()
    const live = new Set((await this.known.live.get()).map(({ id }) => id))
    this.claims.forgetAllBut(live)
    if (live.size === 0) return
    const nowMs = this.executor.db.clock.nowMs()
    for await (const run of oldRemoteAttempts(this.executor.db, OVERDUE_MS)) {
      const worker = await this.known.get(run.workerId ?? '').catch(() => undefined)
      const timeoutMs = (await this.known.actionOf(run, worker))?.timeoutMs
      const ageMs = nowMs - (run.attemptStartedAt?.getTime() ?? nowMs)
      if (timeoutMs === undefined || ageMs < timeoutMs + OVERDUE_MS) continue
      const ended = await this.ends.endRunning(run, run.workerId ?? '', { kind: 'overdue', timeoutMs })
      if (!ended) continue
      this.log.warn(
        { run: showRunId(run.id), worker: run.workerId, ageMs },
        'a worker was silent about an attempt for too long',
      )
      this.leases.taken([run.id])
    }
  }

  /** How many requests for runs wait on this node. */
  get waiting(): number {
    return this.claims.size
  }

  /** Room for a run that is about to be submitted, at a worker that has the present version of its action and waits for work. */
  reserve(action: RegisteredAction): Place | undefined {
    return this.claims.reserve(action.name, (workerId) => this.known.hasVersion(workerId, action))
  }

  /** Work was queued under these names. */
  wake(names: Iterable<string>): void {
    this.claims.wake(names)
  }

  wakeAll(): void {
    this.claims.wakeAll()
  }

  /** Runs may have been taken from their workers. */
  taken(runIds: readonly string[]): void {
    this.leases.taken(runIds)
  }

  /** Every request that waits is answered, so that its worker goes on elsewhere. */
  drain(): void {
    this.claims.stop()
    this.leases.stop()
  }

  stop(): void {
    this.ends.stop()
  }

  private async take({ workerId, names, limit }: ClaimRequest): Promise<Handed[]> {
    const worker = await this.known.get(workerId)
    const handed = await this.handOver.claim({ worker, names, limit })
    for (const { run } of handed) if (run.parentId === null) this.executor.announce(run)
    return handed
  }

  /** What a worker has and does not know of: the answer that gave it was lost. */
  private async missing(workerId: string, holding: readonly AttemptName[]): Promise<RunRow[]> {
    const names = new Set(holding.map(nameOf))
    this.claims.forget(workerId)
    const held = await attemptsHeldBy(this.executor.db, workerId)
    const ids = held.filter(({ id, attempt }) => !names.has(nameOf({ runId: id, attempt }))).map(({ id }) => id)
    if (ids.length === 0) return []
    const rows = await runsByIds(this.executor.db, ids)
    return rows.flatMap((run) => (run?.workerId === workerId ? run : []))
  }

  private async withActions(workerId: string, runs: readonly RunRow[]): Promise<Handed[]> {
    const worker = await this.known.get(workerId)
    const handed: Handed[] = []
    for (const run of runs) {
      const action = await this.known.actionOf(run, worker)
      if (action) handed.push({ run, action })
    }
    return handed
  }

  private changed(run: RunRow): void {
    this.executor.announce(run)
    if (run.status === 'SCHEDULED') this.executor.scheduled()
  }
}
