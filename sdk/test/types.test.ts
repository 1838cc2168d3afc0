import { describe, expectTypeOf, it } from 'vitest'
import {
  type ActionDefinition,
  Do,
  type DoError,
  type Json,
  type Run,
  type Step,
  type WorkflowDefinition,
} from '../src/index.ts'

// What the server exports is more than this; the client looks at no more.
interface ServerAction<N extends string = string, P = unknown, R = unknown> extends ActionDefinition<N, P, R> {
  readonly effect: string
  readonly run: (context: { tx: object }) => unknown
}
declare function action<const N extends string, P, R>(name: N, types: { params: P; result: R }): ServerAction<N, P, R>
declare const welcome: ServerAction<
  'send-welcome-email',
  { userId: string; template?: string },
  { messageId: string; at: Date }
>
declare const ping: ServerAction<'ping', { times?: number }, number>
declare const onboard: WorkflowDefinition<'onboard-user', { email: string }, { userId: string }>
interface TypedApp {
  actions: (typeof welcome | typeof ping)[]
  workflows: [typeof onboard]
}
declare const typed: Do<TypedApp>
declare const untyped: Do

// compiled, never called: the types are the test
const onlyCompiled = (_: () => unknown): void => {}

describe('the types', () => {
  it('let the example of the README compile', () =>
    onlyCompiled(async () => {
      const { result, error } = await new Do(process.env.DO_API_KEY ?? '').action.execute({
        name: 'send-welcome-email',
        params: { userId: 'usr_12345', template: 'new-user-welcome-v2' },
      })
      expectTypeOf(result).toBeUnknown()
      expectTypeOf(error).toEqualTypeOf<DoError | undefined>()
    }))

  it('take an absent environment variable for the key', () => onlyCompiled(() => new Do(process.env.DO_API_KEY)))

  it('know params and result of a typed action', () =>
    onlyCompiled(async () => {
      const { result, error } = await typed.action.execute({ name: 'send-welcome-email', params: { userId: 'u' } })
      if (error) {
        expectTypeOf(result).toBeUndefined()
        expectTypeOf(error).toEqualTypeOf<DoError>()
        return
      }
      // a Date has become a string on its way
      expectTypeOf(result).toEqualTypeOf<{ messageId: string; at: string }>()
    }))

  it('narrow the whole answer by its error', () =>
    onlyCompiled(async () => {
      const answer = await typed.action.execute({ name: 'ping' })
      if (answer.error) return expectTypeOf(answer.run).toEqualTypeOf<Run | undefined>()
      expectTypeOf(answer.result).toBeNumber()
      expectTypeOf(answer.runId).toBeString()
      return expectTypeOf(answer.replayed).toBeBoolean()
    }))

  it('refuse unknown names, wrong params and missing ones', () =>
    onlyCompiled(() => {
      // @ts-expect-error: no such action
      typed.action.execute({ name: 'send-mail' })
      // @ts-expect-error: userId is a string
      typed.action.execute({ name: 'send-welcome-email', params: { userId: 5 } })
      // @ts-expect-error: params of another action
      typed.action.execute({ name: 'send-welcome-email', params: { times: 1 } })
      // @ts-expect-error: userId is required, so params are
      typed.action.execute({ name: 'send-welcome-email' })
      // @ts-expect-error: no such workflow
      typed.workflow.start({ name: 'send-welcome-email' })
      // @ts-expect-error: neither name nor definition
      typed.workflow.start({ params: {} })
    }))

  it('let params be left out where all of them are optional', () =>
    onlyCompiled(() => {
      typed.action.execute({ name: 'ping' })
      typed.action.execute({ name: 'ping', params: { times: 2 }, waitMs: 0, priority: 1 })
    }))

  it('carry the result of a workflow into wait', () =>
    onlyCompiled(async () => {
      const { run, error } = await typed.workflow.start({ name: 'onboard-user', params: { email: 'a@b.c' } })
      if (error) return
      expectTypeOf(run).toEqualTypeOf<Run<{ userId: string }>>()
      const outcome = await typed.run.wait(run)
      if (!outcome.error) expectTypeOf(outcome.result).toEqualTypeOf<{ userId: string }>()
      const other = await typed.run.wait('run_1')
      expectTypeOf(other.result).toBeUnknown()
    }))

  it('carry the result through whatever changes the run', () =>
    onlyCompiled(async () => {
      const { run } = await typed.workflow.start({ name: 'onboard-user', params: { email: 'a@b.c' } })
      const forked = await typed.run.fork(run!, { fromStep: 'payment' })
      if (!forked.error) expectTypeOf(forked.run).toEqualTypeOf<Run<{ userId: string }>>()
      await typed.run.resolve(run!, { step: 'payment', outcome: 'SUCCEEDED', result: { chargeId: 'ch_1' } })
      // @ts-expect-error: no such outcome
      await typed.run.resolve(run!, { outcome: 'MAYBE' })
      // @ts-expect-error: a step is skipped, never a whole run
      await typed.run.skip(run!, { reason: 'none' })
      const { steps } = await typed.run.steps(run!)
      expectTypeOf(steps).toEqualTypeOf<readonly Step[] | undefined>()
    }))

  it('take an app without workflows, with actions written in place', () =>
    onlyCompiled(async () => {
      const app = { actions: [action('a', { params: {}, result: 'x' }), action('b', { params: { n: 1 }, result: 2 })] }
      const { result, error } = await new Do<typeof app>().action.execute({ name: 'b', params: { n: 3 } })
      if (!error) expectTypeOf(result).toBeNumber()
      // @ts-expect-error: there are no workflows
      new Do<typeof app>().workflow.start({ name: 'onboard-user' })
      await new Do<typeof app>().workflow.start({ definition: {} })
    }))

  it('let the untyped client take any name and params', () =>
    onlyCompiled(async () => {
      await untyped.action.execute({ name: 'anything' as string, params: [1, 'two'] })
      const { run } = await untyped.workflow.start({ name: 'anything', params: 3 })
      expectTypeOf(run).toEqualTypeOf<Run | undefined>()
    }))

  it('say what JSON makes of a value', () => {
    expectTypeOf<Json<{ a: Date; b?: Date[]; c: unknown; d: 'x' | null }>>().toEqualTypeOf<{
      a: string
      b?: string[]
      c: unknown
      d: 'x' | null
    }>()
    expectTypeOf<Json<[Date, number]>>().toEqualTypeOf<[string, number]>()
    // biome-ignore lint/suspicious/noExplicitAny: that it passes through is what is tested
    expectTypeOf<Json<any>>().toBeAny()
  })
})
