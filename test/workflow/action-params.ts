import { z } from 'zod'

/** What the actions of the random graphs are given: how to behave. */
export const actionParams = z.object({
  tag: z.string(),
  does: z.union([z.enum(['works', 'breaks', 'hangs']), z.number()]),
  undo: z.enum(['none', 'works', 'breaks']),
  takes: z.number(),
})

export type ActionParams = z.output<typeof actionParams>

/** Attempts enough for every behaviour, one right after the other. */
export const retry = { maxAttempts: 4, backoff: { initialMs: 1, factor: 1, maxMs: 1, jitter: false } }
