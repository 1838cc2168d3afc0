import type { Scenario } from './scenario.ts'
import { claims } from './scenarios/claims.ts'
import { execute } from './scenarios/execute.ts'
import { fanOut } from './scenarios/fan-out.ts'
import { oneKey } from './scenarios/one-key.ts'
import { overHttp } from './scenarios/over-http.ts'
import { queueMemory } from './scenarios/queue-memory.ts'
import { queued } from './scenarios/queued.ts'
import { sequence } from './scenarios/sequence.ts'
import { stepCost } from './scenarios/step-cost.ts'
import { subscribers } from './scenarios/subscribers.ts'
import { written } from './scenarios/written.ts'

/** In the order in which they are measured and shown. What is written is counted before a checkpoint follows on `execute`. */
export const SCENARIOS: readonly Scenario[] = [
  execute,
  written,
  overHttp,
  sequence,
  fanOut,
  queued,
  oneKey,
  stepCost,
  subscribers,
  claims,
  queueMemory,
]
