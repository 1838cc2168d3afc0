import { buildSchema, graphql } from 'graphql'
import { WORKER_CONTRACT } from './worker-contract.ts'

const schema = buildSchema(WORKER_CONTRACT)
export const LEASE_MS = 15_000

type Input = Record<string, unknown>
export type Field = 'registerWorker' | 'claimRuns' | 'renewLeases' | 'completeAttempt' | 'failAttempt' | 'stopWorker'
interface Ref {
  runId: string
  attempt: number
}

/** A run as this server keeps it. */
export interface FakeRun {
  runId: string
  name: string
  params: unknown
  attempt: number
  operation: 'EXECUTE' | 'COMPENSATE'
  result: unknown
  idempotencyKey: string
  probe: boolean
  lastAttempt: boolean
  timeoutMs: number
  lastHeartbeat: unknown
  /** Who holds it; `undefined` while it is queued, and after it has ended. */
  workerId: string | undefined
  /** How it ended: the input of the mutation that said so. */
  ended: Input | undefined
}

/** What is done with the next request for a field, before or in the place of what the server would do. */
export type Fault = (process: () => Promise<Response>) => Promise<Response>

/** A server for workers in the memory of the test, which it speaks to through `fetch`. It enforces the contract. */
export class WorkerServer {
  readonly requests: { field: Field; input: Input; at: number }[] = []
  readonly runs = new Map<string, FakeRun>()
  /** Of `registerWorker`, by id. */
  readonly workers = new Map<string, { registration: Input; leaseUntil: number }>()
  /** While true nobody can reach it. */
  down = false
  /** What broke the contract. */
  readonly violations: string[] = []
  readonly #faults = new Map<Field, Fault[]>()
  readonly #wakeClaims = new Set<() => void>()
  readonly #wakeRenewals = new Set<() => void>()
  readonly #waitingClaims = new Map<string, () => void>()

  readonly fetch: typeof globalThis.fetch = async (_, init) => {
    const { query, variables } = JSON.parse(String(init?.body))
    const field = /\{\s*(\w+)/.exec(query)?.[1] as Field
    this.requests.push({ field, input: variables.input, at: performance.now() })
    if (this.down) throw new TypeError('fetch failed')
    const process = async (): Promise<Response> => {
      const rootValue = { [field]: ({ input }: { input: Input }) => this.#resolve(field, input) }
      const result = await graphql({ schema, source: query, variableValues: variables, rootValue })
      for (const error of result.errors ?? []) this.violations.push(`${field}: ${error.message}`)
      return Response.json(result)
    }
    const fault = this.#faults.get(field)?.shift()
    const answer = fault ? fault(process) : process()
    return await Promise.race([answer, rejectionOf(init?.signal)])
  }

  /** What the next request for the field meets. */
  next(field: Field, ...faults: Fault[]): void {
    this.#faults.set(field, [...(this.#faults.get(field) ?? []), ...faults])
  }

  submit(name: string, params: unknown = {}, more: Partial<FakeRun> = {}): FakeRun {
    const runId = `run_${this.runs.size + 1}`
    const run: FakeRun = {
      ...{ runId, name, params, attempt: 0, operation: 'EXECUTE', result: null, idempotencyKey: `key_${runId}` },
      ...{ probe: false, lastAttempt: false, timeoutMs: 60_000, lastHeartbeat: null },
      ...{ workerId: undefined, ended: undefined, ...more },
    }
    this.runs.set(runId, run)
    for (const wake of this.#wakeClaims) wake()
    return run
  }

  /** Takes a run away from its worker. */
  cancel(run: FakeRun): void {
    run.workerId = undefined
    run.ended = { failure: 'CANCELED' }
    for (const wake of this.#wakeRenewals) wake()
  }

  /** Gives a run back, as after a failure that is to be repeated. */
  requeue(run: FakeRun): void {
    run.workerId = undefined
    run.ended = undefined
    for (const wake of this.#wakeClaims) wake()
  }

  /** Forgets all workers, as when their leases have expired, and gives their runs back. */
  expire(): void {
    this.workers.clear()
    for (const run of this.runs.values()) if (run.workerId) this.requeue(run)
  }

  asked(field: Field): Input[] {
    return this.requests.filter((request) => request.field === field).map(({ input }) => input)
  }

  async #resolve(field: Field, input: Input): Promise<object> {
    const { workerId } = input as { workerId?: string }
    if ((this.workers.get(workerId ?? '')?.leaseUntil ?? 0) < performance.now()) this.#expireOne(workerId)
    const worker = this.workers.get(workerId ?? '')
    switch (field) {
      case 'registerWorker':
        return this.#register(input)
      case 'claimRuns':
        return worker ? await this.#claim(workerId!, input) : NO_WORKER
      case 'renewLeases':
        return worker ? await this.#renew(workerId!, input) : NO_WORKER
      case 'stopWorker':
        return this.#stop(workerId!)
      default:
        return this.#end(input as Input & Ref & { workerId: string })
    }
  }

  #expireOne(workerId: string | undefined): void {
    this.workers.delete(workerId ?? '')
    for (const run of this.#heldBy(workerId ?? '')) this.requeue(run)
  }

  #register(registration: Input): object {
    const id = `worker_${this.requests.filter(({ field }) => field === 'registerWorker').length}`
    this.workers.set(id, { registration, leaseUntil: performance.now() + LEASE_MS })
    const name = registration.name ?? 'worker'
    return { __typename: 'RegisterWorkerPayload', worker: { id, name }, leaseMs: LEASE_MS, actions: [] }
  }

  async #claim(workerId: string, input: Input): Promise<object> {
    const {
      names,
      limit,
      waitMs = 0,
      holding,
    } = input as {
      names: string[]
      limit: number
      waitMs?: number
      holding?: Ref[]
    }
    if (!(limit >= 1 && limit <= 1000)) this.violations.push(`claimRuns: limit ${limit}`)
    if (!(waitMs >= 0 && waitMs <= 60_000)) this.violations.push(`claimRuns: waitMs ${waitMs}`)
    if (names.length === 0) this.violations.push('claimRuns: names is empty')
    this.#waitingClaims.get(workerId)?.()
    const missing = holding ? this.#heldBy(workerId).filter((run) => !lists(holding, run)) : []
    const take = (): FakeRun[] => {
      const queued = [...this.runs.values()].filter((run) => isQueued(run) && names.includes(run.name))
      for (const run of queued.slice(0, limit)) Object.assign(run, { workerId, attempt: run.attempt + 1 })
      return queued.slice(0, limit)
    }
    let runs = missing.length > 0 ? missing : take()
    if (runs.length === 0 && waitMs > 0) {
      let superseded = false
      await this.#wait(waitMs, this.#wakeClaims, (wake) => {
        this.#waitingClaims.set(workerId, () => {
          superseded = true
          wake()
        })
        return () => superseded || [...this.runs.values()].some((run) => isQueued(run) && names.includes(run.name))
      })
      this.#waitingClaims.delete(workerId)
      runs = superseded || !this.workers.has(workerId) ? [] : take()
    }
    return { __typename: 'ClaimRunsPayload', runs: runs.map((run) => ({ ...run })) }
  }

  async #renew(workerId: string, input: Input): Promise<object> {
    const { attempts, waitMs = 0 } = input as { attempts: (Ref & { heartbeat?: unknown })[]; waitMs?: number }
    this.workers.get(workerId)!.leaseUntil = performance.now() + LEASE_MS
    for (const { heartbeat, ...ref } of attempts) {
      const run = this.runs.get(ref.runId)
      if (heartbeat !== undefined && run && isHeld(run, workerId, ref)) run.lastHeartbeat = heartbeat
    }
    const lost = (): string[] =>
      attempts.filter((ref) => !isHeld(this.runs.get(ref.runId), workerId, ref)).map(({ runId }) => runId)
    const missed = this.#heldBy(workerId).some((run) => !lists(attempts, run))
    if (waitMs > 0) await this.#wait(Math.min(waitMs, LEASE_MS / 3), this.#wakeRenewals, () => () => lost().length > 0)
    if (!this.workers.has(workerId)) return NO_WORKER
    return { __typename: 'RenewLeasesPayload', leaseMs: LEASE_MS, lost: lost(), missed }
  }

  #end({ workerId, ...input }: Input & Ref & { workerId: string }): object {
    const run = this.runs.get(input.runId)
    if (!run) return { __typename: 'RunNotFoundError', code: 'RUN_NOT_FOUND', message: 'there is no such run' }
    const __typename = 'failure' in input ? 'FailAttemptPayload' : 'CompleteAttemptPayload'
    const same = JSON.stringify(run.ended) === JSON.stringify(input)
    if (same) return { __typename, run: { id: run.runId }, replayed: true }
    if (!isHeld(run, workerId, input))
      return { __typename: 'AttemptLostError', code: 'ATTEMPT_LOST', message: 'it went to another worker' }
    run.workerId = undefined
    run.ended = input
    if (input.failure === 'NOT_STARTED') this.requeue(run)
    return { __typename, run: { id: run.runId }, replayed: false }
  }

  #stop(workerId: string): object {
    const held = this.#heldBy(workerId)
    for (const run of held) this.requeue(run)
    this.workers.delete(workerId)
    return { __typename: 'StopWorkerPayload', handedOn: held.length }
  }

  #heldBy(workerId: string): FakeRun[] {
    return [...this.runs.values()].filter((run) => run.workerId === workerId)
  }

  #wait(ms: number, wakes: Set<() => void>, begin: (wake: () => void) => () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        wakes.delete(wake)
        resolve()
      }
      const wake = (): void => {
        if (ready()) end()
      }
      const timer = setTimeout(end, ms)
      const ready = begin(wake)
      wakes.add(wake)
      wake()
    })
  }
}

const NO_WORKER = { __typename: 'WorkerNotFoundError', code: 'WORKER_NOT_FOUND', message: 'its lease has expired' }

function isQueued(run: FakeRun): boolean {
  return run.workerId === undefined && run.ended === undefined
}

function isHeld(run: FakeRun | undefined, workerId: string, { attempt }: Ref): boolean {
  return run?.workerId === workerId && run.attempt === attempt
}

function lists(refs: readonly Ref[], run: FakeRun): boolean {
  return refs.some(({ runId, attempt }) => runId === run.runId && attempt === run.attempt)
}

function rejectionOf(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
}
