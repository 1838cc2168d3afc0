import type { SignalWork } from '../core/workflow/graph.ts'
import type { Checks } from './workflow-checks.ts'
import type { Declaration } from './workflow-steps.ts'

/** The work of a step that waits for a signal. */
export function signalWork(declaration: Declaration): SignalWork {
  const { checks, options } = declaration
  checks.oneOf('transient', options.transient, [true, false])
  return { ...waitingFor(declaration, (given) => given), ...(options.transient && { transient: true }) }
}

/** The work of a step that waits for somebody's decision. */
export function approvalWork(declaration: Declaration): SignalWork {
  const { checks, options } = declaration
  const { approvers } = options
  if (approvers !== undefined && !isListOfNames(approvers))
    checks.fail('approvers must be a list of the names of API keys, one at least')
  const work = waitingFor(declaration, (given) => decisionOf(given, checks))
  return { ...work, approval: { approvers: approvers ? [...approvers] : null } }
}

function waitingFor({ key, options, checks }: Declaration, payloadOf: (fallback: unknown) => unknown): SignalWork {
  const { signal, payload, deadlineMs, fallback } = options
  checks.signalName(signal)
  checks.schema('payload', payload)
  checks.duration('deadlineMs', deadlineMs)
  if (fallback !== undefined && deadlineMs === undefined)
    checks.fail('fallback stands in after a deadline: it needs deadlineMs')
  return {
    kind: 'signal',
    name: signal ?? key,
    ...(deadlineMs !== undefined && { deadlineMs }),
    ...(fallback !== undefined && { fallback: { payload: checks.json('fallback', payloadOf(fallback)) } }),
  }
}

/** The decision that a fallback stands for: nobody made it. */
function decisionOf(fallback: unknown, checks: Checks): unknown {
  if (typeof fallback !== 'object' || fallback === null)
    checks.fail('fallback must be { approved, comment?, payload? }')
  const { approved, comment, payload } = fallback as { approved?: unknown; comment?: unknown; payload?: unknown }
  if (typeof approved !== 'boolean') checks.fail('fallback.approved must be true or false')
  checks.text('fallback.comment', comment ?? undefined)
  return { approved, by: null, comment: comment ?? null, payload: payload ?? null }
}

function isListOfNames(names: unknown): boolean {
  return Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === 'string' && name !== '')
}
