/** What runs in a process of its own and is measured there: the product, a baseline, or a peer. */
export interface Contender {
  /** What it can be asked to do, each from its begin to its durable outcome. */
  readonly calls: Readonly<Record<string, () => PromiseLike<unknown>>>
  /** Executes once for a key; everybody who calls with that key gets the one result. */
  oneKey?(key: string): PromiseLike<unknown>
  readonly backlog?: Backlog
  /** Of its HTTP endpoint. */
  readonly url?: string
  stop(): Promise<void>
}

/** Work that is queued first and worked off later. */
export interface Backlog {
  /** Puts as many actions into the queue, in bulk where the contender can. */
  enqueue(count: number): Promise<void>
  /** How many have not come to their durable end. */
  pending(): Promise<number>
}

export interface Surroundings {
  /** Of a database that is the contender's own. */
  readonly databaseUrl: string
  /** For its files: removed when everything is over. */
  readonly folder: string
  /** What the scenario tells it besides. */
  readonly arguments: Readonly<Record<string, string>>
}

/** What a contender's file exports. */
export interface ContenderModule {
  /** How it is set up, and on whose advice: shown next to the numbers. */
  readonly setUp: string
  start(surroundings: Surroundings): Promise<Contender>
}

/** What a contender's process can be asked to measure. */
export type Command =
  | { kind: 'round'; call: string; clients: number; ms: number }
  | { kind: 'times'; call: string; times: number; clients: number }
  | { kind: 'oneKey'; calls: number; clients: number }
  | { kind: 'backlog'; count: number }

/** Figures by the name of their metric. */
export type Measurement = Readonly<Record<string, number>>

/** What a contender's process sends: once that it is ready, then an answer to each question. */
export type Message =
  | { ready: { setUp: string; url?: string } }
  | { answer: number; measured: Measurement }
  | { answer: number; failed: string }
