import type { Executor } from '../executor/executor.ts'
import { createLoaders, type Loaders } from './loaders.ts'

/** What resolvers get. One for each operation; a subscription's lives as long as it. */
export interface Context {
  readonly executor: Executor
  /** The name of the API key: recorded with what it does. */
  readonly actor: string
  readonly loaders: Loaders
}

export function createContext(executor: Executor, actor: string): Context {
  return { executor, actor, loaders: createLoaders(executor) }
}
