/**
 * Durable time as this process knows it: the database's clock, carried on by the process's monotonic one between two
 * readings. It decides nothing that two processes could disagree on (leases and due times are compared in SQL); it is for
 * decisions that are recorded once, like whether a retry would begin after its deadline.
 */
export class DurableClock {
  /** Milliseconds that tests add to the database's clock, so that none has to wait for it. */
  offsetMs = 0
  private skewMs = Date.now() - performance.now()

  /** @param databaseNow a timestamp that a statement returned just now, the offset included. */
  observe(databaseNow: Date): void {
    this.skewMs = databaseNow.getTime() - this.offsetMs - performance.now()
  }

  /** Milliseconds since 1970. */
  nowMs(): number {
    return performance.now() + this.skewMs + this.offsetMs
  }
}
