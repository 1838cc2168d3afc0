import { type RetryOptions, retryPolicy } from '../retry.ts'
import { Members } from './members.ts'
import type { StepReading } from './reading.ts'

const RETRY: ReadonlySet<string> = new Set(['maxAttempts', 'backoff', 'deadlineMs'])
const BACKOFF: ReadonlySet<string> = new Set(['initialMs', 'factor', 'maxMs', 'jitter'])

/** The retry options of a step or an action; `retryPolicy` says which values make sense. */
export function readRetry({ members, issues }: Pick<StepReading, 'members' | 'issues'>): RetryOptions | undefined {
  const retry = members.object('retry')
  if (!retry) return undefined
  const outer = new Members(retry, members.at('retry'), issues)
  outer.allow(RETRY, 'retry')
  for (const member of ['maxAttempts', 'deadlineMs'] as const)
    noteRefusal(outer, member, (value) => retryPolicy({ [member]: value }))
  const backoff = outer.object('backoff')
  if (backoff) {
    const inner = new Members(backoff, outer.at('backoff'), issues)
    inner.allow(BACKOFF, 'backoff')
    for (const member of BACKOFF) noteRefusal(inner, member, (value) => retryPolicy({ backoff: { [member]: value } }))
  }
  return retry as RetryOptions
}

/** Tries a member on its own, so that what is wrong is noted at its path. */
function noteRefusal(members: Members, member: string, attempt: (value: unknown) => void): void {
  if (!members.has(member)) return
  try {
    attempt(members.get(member))
  } catch (error) {
    // "retry.maxAttempts is 0; it must be …": the path says which
    members.wrong(member, (error as Error).message.replace(/^\S+ /, ''))
  }
}
