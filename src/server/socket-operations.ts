import { createSourceEventStream, type ExecutionArgs, GraphQLError } from 'graphql'
import type { OperationResult, SubscribePayload } from 'graphql-ws'
import type { Logger } from 'pino'
import { EventStream } from '../events/event-stream.ts'
import { Audiences } from './audience.ts'
import type { ClientSocket } from './client-socket.ts'
import { EventDelivery } from './event-delivery.ts'
import type { GraphqlServer } from './graphql.ts'
import { selectingVariables, watchingField } from './watching.ts'

/** An operation that has been parsed; graphql-ws hands it on, as the root value, to where it is executed. */
interface Operation {
  readonly id: string
  readonly socket: ClientSocket
  readonly query: string
  readonly enveloped: ReturnType<GraphqlServer['getEnveloped']>
}

/** The operations that clients send over their sockets: through yoga's plugins, like those over HTTP. */
export class SocketOperations {
  private readonly audiences: Audiences
  private readonly graphql: GraphqlServer

  constructor(graphql: GraphqlServer, log: Logger) {
    this.graphql = graphql
    this.audiences = new Audiences(graphql, log)
  }

  /** Parses and validates; answers with what is wrong, or with what to execute. */
  begin(socket: ClientSocket, id: string, params: SubscribePayload): ExecutionArgs | readonly GraphQLError[] {
    const enveloped = this.graphql.getEnveloped({ actor: actorOf(socket), params })
    const { query, operationName, variables: variableValues } = params
    try {
      const { schema } = enveloped
      const document = enveloped.parse(query)
      const errors = enveloped.validate(schema, document)
      if (errors.length > 0) return errors
      const operation: Operation = { id, socket, query, enveloped }
      return { schema, document, operationName, variableValues, rootValue: operation }
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error
      // over HTTP yoga says so
      error.extensions.code ??= 'GRAPHQL_PARSE_FAILED'
      return [error]
    }
  }

  async execute(args: ExecutionArgs): Promise<Awaited<OperationResult>> {
    const { enveloped } = args.rootValue as Operation
    return enveloped.execute({ ...args, rootValue: undefined, contextValue: await enveloped.contextFactory() })
  }

  async subscribe(args: ExecutionArgs): Promise<Awaited<OperationResult>> {
    const operation = args.rootValue as Operation
    const { enveloped } = operation
    const begun = { ...args, rootValue: undefined, contextValue: await enveloped.contextFactory() }
    const delivery = await this.deliver(operation, begun)
    if (!delivery) return enveloped.subscribe(begun)
    // graphql-ws keeps the arguments for as long as the subscription, which for its begin alone needs all this
    args.rootValue = undefined
    return delivery
  }

  /** The short way of an event to many; `undefined` for other operations, and for what is refused. */
  private async deliver({ id, socket, query }: Operation, args: ExecutionArgs): Promise<EventDelivery | undefined> {
    const { schema, document, operationName } = args
    const field = watchingField(document, operationName ?? undefined)
    if (!field) return
    const stream = await createSourceEventStream(args)
    if (!(stream instanceof EventStream)) return
    const audience = this.audiences.join({
      actor: actorOf(socket),
      query,
      schema,
      document,
      operationName: operationName ?? undefined,
      variables: args.variableValues ?? {},
      selecting: selectingVariables(document, field),
    })
    return new EventDelivery(id, stream, audience, socket, this.audiences)
  }
}

function actorOf({ actor }: ClientSocket): string {
  if (actor === undefined) throw new Error('an operation came before its client had said who it is')
  return actor
}
