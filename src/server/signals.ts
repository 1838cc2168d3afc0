import type { Logger } from 'pino'

/** SIGTERM and SIGINT stop the server in good order; a second one changes nothing. The process ends with 0, in time. */
export function stopOnSignals(
  server: { stop(): Promise<void>; stopped: Promise<void> },
  timeoutMs: number,
  log: Logger,
): void {
  const stop = () => {
    const force = setTimeout(() => {
      log.warn(
        { timeoutMs },
        'the stop took too long; what is left is recovered by other servers, or at the next start',
      )
      process.exit(0)
    }, timeoutMs)
    force.unref()
    server.stop().catch((err) => {
      log.error({ err }, 'the stop failed; what is left is recovered by other servers, or at the next start')
      process.exit(1)
    })
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop)
  // once the server has stopped by other means, a signal ends the process as usual
  server.stopped.then(() => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.off(signal, stop)
  })
}
