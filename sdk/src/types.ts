import type { DoError } from './errors.ts'

export type RunStatus =
  | 'PENDING'
  | 'SCHEDULED'
  | 'QUEUED'
  | 'RUNNING'
  | 'WAITING'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'CANCELED'
  | 'SKIPPED'
  | 'INDETERMINATE'
  | 'COMPENSATING'
  | 'COMPENSATED'

/** The failure that a run or an attempt has recorded. */
export interface RunError {
  readonly code: string
  readonly message: string
  readonly retryable: boolean
  readonly details: unknown
}

/** A run as it stood when the server answered. Times are ISO 8601 in UTC. */
export interface Run<R = unknown> {
  /** `STEP`: a step that calls nothing itself, such as a wait, a value or a list. */
  readonly kind: 'ACTION' | 'WORKFLOW' | 'STEP'
  /** `run_…` */
  readonly id: string
  readonly name: string
  readonly status: RunStatus
  readonly idempotencyKey: string | null
  readonly params: unknown
  /** Null until the run has succeeded. */
  readonly result: R | null
  readonly error: RunError | null
  readonly createdAt: string
  readonly startedAt: string | null
  readonly finishedAt: string | null
  /** Where `run.watch(id, { after: lastSeq })` goes on without repeating anything. */
  readonly lastSeq: number
  /** Whether somebody paused it: nothing new begins. */
  readonly paused: boolean
  /** Its key in the workflow that it is a step of, and which one of a list or loop it is, from 0; null for a root. */
  readonly stepKey: string | null
  readonly stepIndex: number | null
}

/** A step of a workflow run as it stood when the server answered. Times are ISO 8601 in UTC. */
export interface Step {
  readonly key: string
  /** Which one of a list or a loop it is, from 0; null for the step itself. */
  readonly index: number | null
  /** The steps that come directly before it. */
  readonly dependsOn: readonly string[]
  readonly status: RunStatus
  /** What it was given; null before it has begun. */
  readonly params: unknown
  readonly result: unknown
  readonly error: RunError | null
  /** How many there were. */
  readonly attempts: number
  /** Null before it has begun, and of a value, which is there at once. */
  readonly startedAt: string | null
  readonly finishedAt: string | null
  /** The step as a run of its own: for `run.get`, `run.wait`, `run.retry`. */
  readonly runId: string
}

/** A run as a preview names it. */
export interface PreviewedRun {
  readonly id: string
  readonly name: string
  readonly status: RunStatus
  /** The step's key; null where the run itself is a single action. */
  readonly stepKey: string | null
}

/** What a retry would do. */
export interface Preview {
  /** Run again: what is retried, and the steps that had run on what it left. */
  readonly again: readonly PreviewedRun[]
  /** Have not run yet, and may once the others have. */
  readonly next: readonly PreviewedRun[]
  /** Stay as they are, with their results. */
  readonly kept: readonly PreviewedRun[]
  /** Of those that run again: unsafe ones, whose effect may have happened already. */
  readonly unsafe: readonly PreviewedRun[]
}

/** A workflow that was stored from a definition. */
export interface DefinedWorkflow {
  readonly name: string
  readonly version: string
  readonly description: string | null
  /** The hash of its structure. */
  readonly graph: string
  /** Its picture, as a Mermaid flowchart. */
  readonly mermaid: string
}

/** One transition of a run. */
export interface RunEvent {
  /** The run that changed: the one watched, or a step of it. */
  readonly runId: string
  /** Grows along the stream; has gaps in the stream of a step. */
  readonly seq: number
  readonly at: string
  /** The step's key; null for the root. */
  readonly step: string | null
  readonly from: RunStatus | null
  readonly to: RunStatus
  readonly reason: string
  readonly attempt: number | null
  readonly error: RunError | null
  readonly actor: string | null
  readonly data: unknown
}

/** A run's id, or a run from an earlier answer, which brings the type of its result along. */
export type RunRef<R = unknown> = string | Run<R>

/** An answer without success. What is known of the run is there all the same. */
interface Failure {
  readonly result: undefined
  readonly error: DoError
  readonly runId: string | undefined
  readonly run: Run | undefined
}

/** The outcome of a run: its result, or why there is none. */
export type Outcome<R = unknown> =
  | { readonly result: R; readonly error: undefined; readonly runId: string; readonly run: Run<R> }
  | Failure

/** An outcome, and whether an earlier call with the same key had already started the run. */
export type ExecuteOutcome<R = unknown> =
  | {
      readonly result: R
      readonly error: undefined
      readonly runId: string
      readonly run: Run<R>
      readonly replayed: boolean
    }
  | (Failure & { readonly replayed: boolean | undefined })

/** The answer to a request that starts or changes a run. */
export type RunAnswer<R = unknown> =
  | { readonly run: Run<R>; readonly runId: string; readonly replayed: boolean; readonly error: undefined }
  | {
      readonly run: undefined
      readonly runId: string | undefined
      readonly replayed: undefined
      readonly error: DoError
    }

/** The answer to a look at a run. */
export type FoundRun<R = unknown> =
  | { readonly run: Run<R>; readonly error: undefined }
  | { readonly run: undefined; readonly error: DoError }

/** The answer to a look at the steps of a run. */
export type FoundSteps =
  | { readonly steps: readonly Step[]; readonly error: undefined }
  | { readonly steps: undefined; readonly error: DoError }

/** The answer to `run.preview`. */
export type FoundPreview =
  | { readonly preview: Preview; readonly error: undefined }
  | { readonly preview: undefined; readonly error: DoError }

/** The answer to `workflow.define`. */
export type DefineAnswer =
  | { readonly workflow: DefinedWorkflow; readonly error: undefined }
  | { readonly workflow: undefined; readonly error: DoError }

/** The options of the client. */
export interface DoOptions {
  /** Sent as `Authorization: Bearer …`; default the environment's `DO_API_KEY`. */
  apiKey?: string | undefined
  /** The GraphQL endpoint, where a URL without a path means `/graphql`; default the environment's `DO_URL`, else `http://localhost:4000/graphql`. */
  url?: string | URL | undefined
  /** Takes the place of the global `fetch`. */
  fetch?: typeof globalThis.fetch | undefined
  /** Milliseconds that a call may take in all, waiting for the outcome and repeating lost requests included; default 60,000. */
  timeout?: number | undefined
  /** How often one lost request is repeated; default 6, which spreads over about 6 s (12.6 s at most). */
  retries?: number | undefined
  /** Sent with every request. */
  headers?: Readonly<Record<string, string>> | undefined
}
