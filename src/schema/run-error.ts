import type { RunError } from '../core/failure.ts'
import { builder } from './builder.ts'

const CauseRef = builder.objectRef<{ code?: string; message: string }>('RunErrorCause').implement({
  description: 'A link of the chain of causes behind an error.',
  fields: (t) => ({
    code: t.string({ description: "The cause's own code, if it has one.", resolve: ({ code }) => code ?? null }),
    message: t.exposeString('message', { nullable: false, description: "The cause's own message." }),
  }),
})

/** What an attempt failed with; also that of its run and of the event. */
export const RunErrorRef = builder.objectRef<RunError>('RunError').implement({
  description: 'What an attempt failed with.',
  fields: (t) => ({
    code: t.exposeString('code', { nullable: false, description: 'An upper-case word for programs.' }),
    message: t.exposeString('message', { nullable: false, description: 'For people.' }),
    retryable: t.exposeBoolean('retryable', { nullable: false, description: 'Whether repeating could help.' }),
    details: t.field({
      type: 'JSON',
      description: 'What the handler attached for programs.',
      resolve: ({ details }) => details ?? null,
    }),
    stack: t.string({
      description: 'Where it was thrown, at most 8,000 characters.',
      resolve: ({ stack }) => stack ?? null,
    }),
    causes: t.field({
      type: [CauseRef],
      nullable: { list: false, items: false },
      description: 'The chain of causes, outermost first.',
      resolve: ({ causes }) => [...(causes ?? [])],
    }),
  }),
})
