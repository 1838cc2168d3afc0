import SchemaBuilder from '@pothos/core'
import type { Context } from './context.ts'

/** The one builder that every file of the schema adds its type to. */
export const builder = new SchemaBuilder<{
  Context: Context
  DefaultFieldNullability: true
  Scalars: {
    JSON: { Input: unknown; Output: unknown }
    DateTime: { Input: Date; Output: Date }
    ID: { Input: string; Output: string }
  }
}>({})

builder.queryType({ description: 'What can be asked.' })
builder.mutationType({ description: 'What can be done. Every mutation answers with a payload or with a typed error.' })
builder.subscriptionType({
  description: 'What can be watched. Over WebSocket (graphql-transport-ws) or server-sent events, on the same address.',
})
