import type { ApiClient } from './server.ts'

interface ClaimedRun {
  runId: string
  name: string
  attempt: number
  operation: 'EXECUTE' | 'COMPENSATE'
  params: unknown
  result: unknown
  idempotencyKey: string
  probe: boolean
  lastAttempt: boolean
  timeoutMs: number
  lastHeartbeat: unknown
}

export interface WorkerAnswer {
  __typename: string
  worker?: { id: string; name: string; lastSeenAt: string }
  actions?: { name: string; version: string; isRemote: boolean }[]
  leaseMs?: number
  runs?: ClaimedRun[]
  lost?: string[]
  missed?: boolean
  run?: { id: string; status: string; result: unknown; error: { code: string; message: string } | null }
  replayed?: boolean
  handedOn?: number
  code?: string
  message?: string
  path?: string
  issues?: { path: string; message: string }[]
}

const RUN = 'run { id status result error { code message } }'

const MUTATIONS = {
  registerWorker:
    '... on RegisterWorkerPayload { leaseMs worker { id name lastSeenAt } actions { name version isRemote } } ... on InvalidDefinitionError { issues { path message } }',
  claimRuns:
    '... on ClaimRunsPayload { runs { runId name attempt operation params result idempotencyKey probe lastAttempt timeoutMs lastHeartbeat } }',
  renewLeases: '... on RenewLeasesPayload { leaseMs lost missed }',
  completeAttempt: `... on CompleteAttemptPayload { replayed ${RUN} }`,
  failAttempt: `... on FailAttemptPayload { replayed ${RUN} }`,
  stopWorker: '... on StopWorkerPayload { handedOn }',
} as const

/** One of the mutations of remote workers, over HTTP as any language would send it. */
export async function ask(server: ApiClient, mutation: keyof typeof MUTATIONS, input: object): Promise<WorkerAnswer> {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`
  const document = `mutation($input: ${type}!) { ${mutation}(input: $input) { __typename ${MUTATIONS[mutation]}
    ... on Error { code message } ... on InvalidInputError { path } } }`
  return (await server.query<Record<string, WorkerAnswer>>(document, { input }))[mutation]!
}

/** A remote worker spoken by hand. */
export interface HandWorker {
  readonly id: string
  claim(input?: { names?: string[]; limit?: number; waitMs?: number; holding?: object[] }): Promise<ClaimedRun[]>
  renew(attempts?: object[], waitMs?: number): Promise<WorkerAnswer>
  complete(run: Pick<ClaimedRun, 'runId' | 'attempt'>, result?: unknown, more?: object): Promise<WorkerAnswer>
  fail(run: Pick<ClaimedRun, 'runId' | 'attempt'>, more?: object): Promise<WorkerAnswer>
  stop(holding?: object[]): Promise<WorkerAnswer>
}

/** Registers a worker with these actions: a name, or what `registerWorker` takes. */
export async function handWorker(
  server: ApiClient,
  actions: readonly (string | { name: string })[],
  name = 'hand',
): Promise<HandWorker> {
  const given = actions.map((action) => (typeof action === 'string' ? { name: action } : action))
  const registered = await ask(server, 'registerWorker', { name, actions: given })
  if (!registered.worker) throw new Error(JSON.stringify(registered))
  const { id } = registered.worker
  const nameOf = ({ runId, attempt }: Pick<ClaimedRun, 'runId' | 'attempt'>) => ({ runId, attempt })
  return {
    id,
    async claim(input = {}) {
      const asked = { names: given.map((action) => action.name), limit: 10, waitMs: 5_000, ...input }
      const answer = await ask(server, 'claimRuns', { workerId: id, ...asked })
      if (!answer.runs) throw new Error(JSON.stringify(answer))
      return answer.runs
    },
    renew: (attempts = [], waitMs = 0) => ask(server, 'renewLeases', { workerId: id, attempts, waitMs }),
    complete: (run, result = null, more = {}) =>
      ask(server, 'completeAttempt', { workerId: id, ...nameOf(run), result, ...more }),
    fail: (run, more = {}) =>
      ask(server, 'failAttempt', { workerId: id, ...nameOf(run), error: { message: 'no' }, ...more }),
    stop: (holding) => ask(server, 'stopWorker', { workerId: id, ...(holding && { holding }) }),
  }
}
