import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { RunRow } from '../db/rows.ts'
import type { Executor } from '../executor/executor.ts'

/** What Prometheus reads. One registry for each server, so that several in a process do not mix. */
export function createMetrics(executor: Executor): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const settled = new Counter({
    name: 'action_do_runs_settled_total',
    help: 'Runs that came to a state of rest on this server, by action and status',
    labelNames: ['action', 'status'],
    registers: [registry],
  })
  const duration = new Histogram({
    name: 'action_do_run_duration_seconds',
    help: 'Time from the record of a run to its end on this server, by action',
    labelNames: ['action'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120, 600, 3600],
    registers: [registry],
  })
  new Gauge({
    name: 'action_do_runs_running',
    help: 'Runs that this server executes now',
    registers: [registry],
    collect() {
      this.set(executor.worker.executions.size)
    },
  })
  new Gauge({
    name: 'action_do_remote_workers',
    help: 'Remote workers whose lease is valid, of all servers of the database',
    registers: [registry],
    async collect() {
      // while the database is away, the last number stands
      const live = await executor.remoteWorkers.known.live.get().catch(() => undefined)
      if (live) this.set(live.length)
    },
  })
  executor.onSettled((run: RunRow) => {
    settled.inc({ action: run.name, status: run.status })
    if (run.finishedAt)
      duration.observe({ action: run.name }, (run.finishedAt.getTime() - run.createdAt.getTime()) / 1000)
  })
  return registry
}
