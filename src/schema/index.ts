import type { GraphQLSchema } from 'graphql'
import { builder } from './builder.ts'
import './scalars.ts'
import './run.ts'
import './run-list.ts'
import './action.ts'
import './register-action.ts'
import './remote-worker.ts'
import './workflow.ts'
import './workflow-run.ts'
import './start-workflow.ts'
import './execute-action.ts'
import './control.ts'
import './retry-preview.ts'
import './bulk.ts'
import './subscriptions.ts'

/** The schema, from the types that the files beside this one added to the builder. */
export const schema: GraphQLSchema = builder.toSchema()
