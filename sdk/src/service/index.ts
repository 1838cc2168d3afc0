export type { FailureOptions } from '../handler-errors.ts'
export type { StoredAnswer } from './answer.ts'
export type { Callback } from './call.ts'
export { beat, type CallbackOptions, CallbackRefused, fail, finish, type LateFailure } from './callbacks.ts'
export { ActionFailed, TryLater } from './errors.ts'
export {
  type ActionContext,
  type ActionHandler,
  type ActionHandlerOptions,
  createActionHandler,
  type Found,
  LATER,
  type ServiceAction,
  type ServiceActions,
} from './handler.ts'
export { toNodeListener } from './node-listener.ts'
export { ANSWERS_TABLE, type PostgresAccess, type PostgresStore, postgresStore } from './postgres-store.ts'
export { type AnswerStore, type Kept, type MemoryStoreOptions, memoryStore, type Work } from './store.ts'
