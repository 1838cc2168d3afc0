import type { StepEnds } from '../../src/executor/workflow/workflows.ts'

/** For tests whose runs are no steps. */
export const noSteps: StepEnds = {
  endAttempt: () => Promise.reject(new Error('there are no steps here')),
}
