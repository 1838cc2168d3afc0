import { type DocumentNode, execute, type GraphQLSchema } from 'graphql'
import type { Logger } from 'pino'
import type { EventRow } from '../db/rows.ts'
import { type GraphqlServer, maskFault } from './graphql.ts'

/** A subscription as a client asks for it. */
export interface Asked {
  readonly actor: string
  readonly query: string
  readonly schema: GraphQLSchema
  readonly document: DocumentNode
  readonly operationName: string | undefined
  readonly variables: Readonly<Record<string, unknown>>
  /** The variables that the answers depend on, besides the event. */
  readonly selecting: readonly string[]
}

/**
 * Subscribers to whom an event means the same answer: the same operation for the same actor, with the same variables as far as
 * the answer depends on them. So the answer is made once for all of them, by an execution like any other, with a context of
 * its own.
 */
export class Audience {
  readonly key: string
  members = 0
  /** By event, and gone with it. */
  private readonly answers = new WeakMap<EventRow, string | Promise<string>>()
  private readonly graphql: GraphqlServer
  private readonly asked: Asked
  private readonly log: Logger

  constructor(key: string, graphql: GraphqlServer, asked: Asked, log: Logger) {
    this.key = key
    this.graphql = graphql
    this.asked = asked
    this.log = log
  }

  /** What the subscription answers to an event, as JSON: at once where somebody has asked for it before. */
  answer(event: EventRow): string | Promise<string> {
    const known = this.answers.get(event)
    if (known !== undefined) return known
    const made = this.execute(event).then((text) => {
      this.answers.set(event, text)
      return text
    })
    this.answers.set(event, made)
    return made
  }

  private async execute(event: EventRow): Promise<string> {
    const { actor, query, schema, document, operationName, variables } = this.asked
    // the execution of yoga would subscribe
    const contextValue = await this.graphql.getEnveloped({ actor, params: { query } }).contextFactory()
    const operation = { schema, document, operationName, variableValues: variables }
    const { errors, ...result } = await execute({ ...operation, contextValue, rootValue: event })
    if (!errors) return JSON.stringify(result)
    return JSON.stringify({ ...result, errors: errors.map((error) => maskFault(error, 'Unexpected error.', this.log)) })
  }
}

/** The audiences of one node, each for as long as it has members. */
export class Audiences {
  private readonly audiences = new Map<string, Audience>()
  private readonly graphql: GraphqlServer
  private readonly log: Logger

  constructor(graphql: GraphqlServer, log: Logger) {
    this.graphql = graphql
    this.log = log
  }

  join(asked: Asked): Audience {
    const key = keyOf(asked)
    const audience = this.audiences.get(key) ?? new Audience(key, this.graphql, asked, this.log)
    audience.members++
    this.audiences.set(key, audience)
    return audience
  }

  leave(audience: Audience): void {
    if (--audience.members === 0) this.audiences.delete(audience.key)
  }
}

function keyOf({ actor, query, operationName, selecting, variables }: Asked): string {
  return JSON.stringify([actor, query, operationName, selecting.map((name) => [name, variables[name]])])
}
