import type { InnerVerdict, ProbeVerdict } from '../core/effect.ts'
import { NonRetryableError, OutcomeUnknownError } from '../core/errors.ts'
import { type Verdict, verdictOf } from '../core/http-action/answer.ts'
import { probeByCallback } from '../core/http-action/callback.ts'
import { type Circumstances, errorOf, notSent } from '../core/http-action/failure.ts'
import type { HttpTarget } from '../core/http-action/target.ts'
import type { Action, InnerContext } from '../executor/define-action.ts'
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
    const { probe, compensate } = this.action
    const canTell = probe !== undefined || this.target.callbackMs !== undefined
    // the executor gives every handler all of it; users are shown less
    const inner = (context: unknown) => context as InnerContext<unknown>
    return {
      run: (context) => this.run(inner(context)),
      probe: canTell ? (context) => this.probe(inner(context)) : undefined,
      compensate: compensate && ((context) => this.compensate(inner(context), context.result)),
    }
  }

  private async run(context: InnerContext<unknown>): Promise<unknown> {
    const { attempt, params } = context
    const { callbackMs } = this.target
    const verdict =
      callbackMs === undefined
        ? await this.ask(context, { operation: 'execute', attempt, params })
        : await this.askOrWait(context, callbackMs)
    return resultOf(verdict, context)
  }

  /** A call that was accepted is waited for, also by the attempts after the one that made it. */
  private async askOrWait(context: InnerContext<unknown>, deadlineMs: number): Promise<Verdict> {
    const { attempt, params } = context
    const earlier = attempt > 1 ? await this.callbacks.earlier(context) : undefined
    const ended = earlier && (await this.callbacks.takeUp(earlier, context))
    if (ended) return ended
    if (!earlier || !this.callbacks.isPending(earlier)) {
      const offered = await this.callbacks.offer(context, deadlineMs)
      const verdict = await this.ask(context, { operation: 'execute', attempt, params, callback: offered.shown })
      if (verdict.kind !== 'accepted') return verdict
      await this.callbacks.accept(offered, context)
    }
    context.yieldSlot()
    return await this.callbacks.wait(context)
  }

  private async compensate(context: InnerContext<unknown>, result: unknown): Promise<void> {
    const { attempt, params } = context
    resultOf(await this.ask(context, { operation: 'compensate', attempt, params, result }), context)
  }

  private async probe(context: InnerContext<unknown>): Promise<InnerVerdict<unknown>> {
    const earlier = this.target.callbackMs === undefined ? undefined : await this.callbacks.earlier(context)
    const known = earlier && probeByCallback(earlier, this.callbacks.isPending(earlier))
    if (known) return known
    if (!this.action.probe) return { outcome: 'unknown' }
    return readProbe(resultOf(await this.ask(context, { operation: 'probe', params: context.params }), context))
  }

  private async ask(
    context: InnerContext<unknown>,
    message: Omit<Call['message'], 'action' | 'runId'>,
  ): Promise<Verdict> {
    const { idempotencyKey, runId, signal, effect } = context
    try {
      const answer = await this.calls.post({
        target: this.target,
        message: { ...message, action: this.action.name, runId },
        idempotencyKey,
        fresh: effect === 'unsafe',
        signal,
      })
      return verdictOf(answer, Date.now())
    } catch (error) {
      throw unanswered(error, context)
    }
  }
}

function unanswered(error: unknown, context: InnerContext<unknown>): unknown {
  if (!(error instanceof ExchangeError)) return error
  const { cause, sent } = error
  if (cause instanceof AddressRefused) return new NonRetryableError(cause.message, { code: cause.code })
  if (!sent) return notSent(`The service cannot be reached: ${error.message}`, 'NOT_REACHED', cause, factsOf(context))
  const message = `The service was called, but its answer did not come: ${error.message}`
  return new OutcomeUnknownError(message, { code: 'ANSWER_LOST', cause })
}

/** The result; throws what a failure means for the run. */
function resultOf(verdict: Verdict, context: InnerContext<unknown>): unknown {
  if (verdict.kind === 'result') return verdict.value
  if (verdict.kind !== 'accepted') throw errorOf(verdict, factsOf(context))
  const message =
    'The service answered 202, that it will finish later; the action has no `callback` by which to hear of it'
  throw new OutcomeUnknownError(message, { code: 'NO_CALLBACK' })
}

function factsOf({ effect, retry, attempt }: InnerContext<unknown>): Circumstances {
  return { effect, retry, attempt, random: Math.random() }
}

/** What a service says of an effect; anything else than the two clear answers says that nobody can tell. */
function readProbe(value: unknown): ProbeVerdict<unknown> {
  const { outcome, result = null } = (value ?? {}) as { outcome?: unknown; result?: unknown }
  if (outcome === 'succeeded') return { outcome, result }
  return { outcome: outcome === 'not-executed' ? outcome : 'unknown' }
}
