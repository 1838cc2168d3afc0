import type { Executor } from '../executor/executor.ts'
import { createLoaders, type Loaders } from './loaders.ts'

/** What resolvers get. One for each operation; a subscription's lives as long as it. */
export interface Context {
  readonly executor: Executor
  /** The name of the API key: recorded with what it does. */
  readonly actor: string
  readonly loaders: Loaders
  /** Aborted when the client goes before it is answered; `undefined` where nobody can tell. */
  readonly gone: () => AbortSignal | undefined
}

export function createContext(
  executor: Executor,
  actor: string,
  gone: () => AbortSignal | undefined = () => undefined,
): Context {
  return { executor, actor, loaders: createLoaders(executor), gone }
}
