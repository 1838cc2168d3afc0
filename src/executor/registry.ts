import type { Action } from './define-action.ts'
import { jsonSchemaOf } from './validate.ts'

/** An action as it is registered, with what the catalogue shows of its schemas. */
export interface RegisteredAction extends Action {
  readonly paramsJsonSchema: unknown
  readonly resultJsonSchema: unknown
}

/** The actions that this server knows, by name. */
export class Registry {
  private readonly byName = new Map<string, RegisteredAction>()

  /** Throws when two actions share a name. */
  constructor(actions: readonly Action[]) {
    for (const action of actions) {
      if (action?.kind !== 'action')
        throw new TypeError('serve({ actions }) takes what action() returns; one member is something else')
      if (this.byName.has(action.name)) throw new Error(`two actions are called ${JSON.stringify(action.name)}`)
      this.byName.set(action.name, {
        ...action,
        paramsJsonSchema: jsonSchemaOf(action.paramsSchema, 'input'),
        resultJsonSchema: jsonSchemaOf(action.resultSchema, 'output'),
      })
    }
  }

  get(name: string): RegisteredAction | undefined {
    return this.byName.get(name)
  }

  /** In alphabetical order. */
  all(): RegisteredAction[] {
    return [...this.byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  names(): string[] {
    return this.all().map(({ name }) => name)
  }
}
