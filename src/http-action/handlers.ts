import type { ProbeVerdict } from '../core/effect.ts'
import { NonRetryableError, OutcomeUnknownError } from '../core/errors.ts'
import { type Verdict, verdictOf } from '../core/http-action/answer.ts'
import { verdictOfCallback } from '../core/http-action/callback.ts'
import { type Circumstances, errorOf, notSent } from '../core/http-action/failure.ts'
import type { HttpTarget } from '../core/http-action/target.ts'
import type {
  Action,
  CompensateContext,
  HandlerContext,
  InnerContext,
  ProbeContext,
} from '../executor/define-action.ts'
import type { Callbacks } from './callbacks.ts'
import { AddressRefused } from './connections.ts'
import { ExchangeError } from './exchange.ts'
import type { Call, HttpCalls } from './http-calls.ts'

/** Gives an HTTP action the handlers that call its service; any other action stays as it is. */
export function withHandlers(action: Action, calls: HttpCalls, callbacks: Callbacks): Action {
  const { http } = action
  return http ? { ...action, ...new Handlers(action, http, calls, callbacks).all() } : action
}

class Handlers {
  private readonly action: Action
  private readonly target: HttpTarget
  private readonly calls: HttpCalls
  private readonly callbacks: Callbacks

  constructor(action: Action, target: HttpTarget, calls: HttpCalls, callbacks: Callbacks) {
    this.action = action
    this.target = target
    this.calls = calls
    this.callbacks = callbacks
  }

  all(): Pick<Action, 'run' | 'probe' | 'compensate'> {
    const { probe, effect } = this.action
    const canTell = probe !== undefined || (effect === 'unsafe' && this.target.callbackMs !== undefined)
    return {
      run: (context: HandlerContext<unknown>) => this.run(context as InnerContext<unknown>),
      probe: canTell ? (context) => this.probe(context) : undefined,
      compensate: this.action.compensate && ((context) => this.compensate(context)),
    }
  }

  private async run(context: InnerContext<unknown>): Promise<unknown> {
    const { attempt, params } = context
    const { callbackMs } = this.target
    const verdict =
      callbackMs === undefined
        ? await this.ask(context, attempt, { operation: 'execute', attempt, params })
        : await this.askOrWait(context, callbackMs)
    return this.result(verdict, attempt)
  }

  /** A call that was accepted is waited for, also by the attempts after the one that made it. */
  private async askOrWait(context: InnerContext<unknown>, deadlineMs: number): Promise<Verdict> {
    const { attempt, params } = context
    const earlier = attempt > 1 ? await this.callbacks.earlier(context) : undefined
    const ended = earlier && verdictOfCallback(earlier)
    if (ended) return ended
    if (!earlier || !this.callbacks.isPending(earlier)) {
      const offered = await this.callbacks.offer(context, deadlineMs)
      const message = { operation: 'execute', attempt, params, callback: offered.shown } as const
      const verdict = await this.ask(context, attempt, message)
      if (verdict.kind !== 'accepted') return verdict
      await this.callbacks.accept(offered)
    }
    context.yieldSlot()
    return await this.callbacks.wait(context)
  }

  private async compensate(context: CompensateContext<unknown, unknown>): Promise<void> {
    const { attempt, params, result } = context
    this.result(await this.ask(context, attempt, { operation: 'compensate', attempt, params, result }), attempt)
  }

  private async probe(context: ProbeContext<unknown>): Promise<ProbeVerdict<unknown>> {
    // what the service has said, or will say, the handler takes up without calling again
    const earlier = this.target.callbackMs === undefined ? undefined : await this.callbacks.earlier(context)
    if (earlier && (earlier.outcome !== null || this.callbacks.isPending(earlier))) return { outcome: 'not-executed' }
    if (!this.action.probe) return { outcome: 'unknown' }
    const verdict = await this.ask(context, 1, { operation: 'probe', params: context.params })
    return readProbe(this.result(verdict, 1))
  }

  private async ask(
    { idempotencyKey, runId, signal }: ProbeContext<unknown>,
    attempt: number,
    message: Omit<Call['message'], 'action' | 'runId'>,
  ): Promise<Verdict> {
    const { action, target } = this
    try {
      const answer = await this.calls.post({
        target,
        message: { ...message, action: action.name, runId },
        idempotencyKey,
        fresh: action.effect === 'unsafe',
        signal,
      })
      return verdictOf(answer, Date.now())
    } catch (error) {
      throw this.unanswered(error, attempt)
    }
  }

  private unanswered(error: unknown, attempt: number): unknown {
    if (!(error instanceof ExchangeError)) return error
    const { cause, sent } = error
    if (cause instanceof AddressRefused) return new NonRetryableError(cause.message, { code: cause.code })
    if (!sent)
      return notSent(`The service cannot be reached: ${error.message}`, 'NOT_REACHED', cause, this.facts(attempt))
    return new OutcomeUnknownError(`The service was called, but its answer did not come: ${error.message}`, {
      code: 'ANSWER_LOST',
      cause,
    })
  }

  private result(verdict: Verdict, attempt: number): unknown {
    if (verdict.kind === 'result') return verdict.value
    if (verdict.kind === 'accepted')
      throw new OutcomeUnknownError(
        'The service answered 202, that it will finish later; the action has no `callback` by which to hear of it',
        { code: 'NO_CALLBACK' },
      )
    throw errorOf(verdict, this.facts(attempt))
  }

  private facts(attempt: number): Circumstances {
    const { effect, retry } = this.action
    return { effect, retry, attempt, random: Math.random() }
  }
}

/** What a service says of an effect; anything else than the two clear answers says that nobody can tell. */
function readProbe(value: unknown): ProbeVerdict<unknown> {
  const { outcome, result = null } = (value ?? {}) as { outcome?: unknown; result?: unknown }
  if (outcome === 'succeeded') return { outcome, result }
  return { outcome: outcome === 'not-executed' ? outcome : 'unknown' }
}
