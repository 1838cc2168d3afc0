import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for what no signal tells: the state of a database, or of a process. The test's own timeout bounds it. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(2)
}
