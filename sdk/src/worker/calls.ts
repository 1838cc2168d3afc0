import type { Config } from '../options.ts'
import { accepted } from '../outcome.ts'
import { now } from '../time.ts'
import { Transport } from '../transport.ts'
import * as documents from './documents.ts'
import type { AttemptFailure, AttemptRef, ClaimedRun, Lease, RenewedLeases, WireFailure } from './wire.ts'

/** What asking once costs at most, besides the time that the server was asked to wait: longer than it takes to answer. */
const ONCE_MS = Number.POSITIVE_INFINITY

/** What the server makes of a registration. */
export interface Registered {
  readonly id: string
  readonly leaseMs: number
  /** When it was asked for, on the clock of `now()`: the lease is no older. */
  readonly at: number
}

/** The mutations of a worker. Each throws a `DoError`. Only the first registration is repeated here; who calls the others repeats them. */
export class Calls {
  readonly #patient: Transport
  readonly #once: Transport

  constructor(config: Config) {
    this.#patient = new Transport(config)
    this.#once = new Transport({ ...config, retries: 0 })
  }

  /** Registers, and repeats what gets lost, as the client of actions does, for as long as its `timeout` says. */
  register(input: object, signal: AbortSignal): Promise<Registered> {
    return register(this.#patient, input, now() + this.#patient.config.timeout, signal)
  }

  registerOnce(input: object, signal: AbortSignal): Promise<Registered> {
    return register(this.#once, input, ONCE_MS, signal)
  }

  async claim(
    input: { workerId: string; names: string[]; limit: number; waitMs: number; holding?: AttemptRef[] },
    signal: AbortSignal,
  ): Promise<readonly ClaimedRun[]> {
    const data = await this.#send(documents.CLAIM_RUNS, input, signal, input.waitMs)
    return accepted<{ runs: readonly ClaimedRun[] }>(data, 'claimRuns', 'runs').runs
  }

  async renew(
    input: { workerId: string; attempts: readonly Lease[]; waitMs: number },
    signal: AbortSignal,
  ): Promise<RenewedLeases> {
    const data = await this.#send(documents.RENEW_LEASES, input, signal, input.waitMs)
    return accepted<RenewedLeases>(data, 'renewLeases', 'lost')
  }

  async complete(
    input: AttemptRef & { workerId: string; result: unknown; confirmed: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    accepted<{ replayed: boolean }>(
      await this.#send(documents.COMPLETE_ATTEMPT, input, signal),
      'completeAttempt',
      'replayed',
    )
  }

  async fail(
    input: AttemptRef & { workerId: string; failure: AttemptFailure; error: WireFailure; retryAfterMs?: number },
    signal: AbortSignal,
  ): Promise<void> {
    accepted<{ replayed: boolean }>(await this.#send(documents.FAIL_ATTEMPT, input, signal), 'failAttempt', 'replayed')
  }

  /**
   * @param holding what was begun and is not reported: all else that the server gave never began.
   * @param withinMs milliseconds that it may take, repetitions included.
   */
  async stop(workerId: string, holding: readonly AttemptRef[], withinMs: number): Promise<void> {
    const input = { workerId, holding }
    const operation = { document: documents.STOP_WORKER, variables: () => ({ input }), serverWaits }
    const data = await this.#patient.request(operation, { deadline: now() + withinMs, signal: undefined })
    accepted<{ handedOn: number }>(data, 'stopWorker', 'handedOn')
  }

  #send(document: string, input: object, signal: AbortSignal, waitMs = 0): Promise<Readonly<Record<string, unknown>>> {
    const operation = { document, variables: () => ({ input }), serverWaits: () => waitMs }
    return this.#once.request(operation, { deadline: ONCE_MS, signal })
  }
}

const serverWaits = (): number => 0

async function register(
  transport: Transport,
  input: object,
  deadline: number,
  signal: AbortSignal,
): Promise<Registered> {
  let at = now()
  const variables = () => {
    at = now()
    return { input }
  }
  const data = await transport.request(
    { document: documents.REGISTER_WORKER, variables, serverWaits },
    { deadline, signal },
  )
  const { worker, leaseMs } = accepted<{ worker: { id: string }; leaseMs: number }>(data, 'registerWorker', 'worker')
  return { id: worker.id, leaseMs, at }
}
