import { queryOf } from './notes.ts'
import { until } from './until.ts'

/** Holds up the commit of what comes after an event, so that a kill falls exactly between two of them. */
export interface EventGate {
  /** From now on no event after this one is committed, of whatever run. */
  closeAfter(seq: number): Promise<void>
  /** Waits until a commit is held up. */
  holds(): Promise<void>
  /** Rolls back what is held up, and lets pass what comes. Only once its process is gone, which would repeat it. */
  open(): Promise<void>
}

/** Sleeping in a trigger, because a backend that sleeps can be found and ended without a lock in common. */
const GATE = `
  create table action_do.event_gate as select null::int as after;
  create function action_do.event_gate() returns trigger language plpgsql as $$ begin
    if new.seq > (select after from action_do.event_gate) then perform pg_sleep(3600); end if;
    return new;
  end $$;
  create trigger event_gate before insert on action_do.written_events for each row execute function action_do.event_gate()`

/** @param databaseUrl of a migrated database that the test has for itself. */
export async function eventGate(databaseUrl: string): Promise<EventGate> {
  const own = queryOf(databaseUrl)
  await own.unsafe(GATE)
  const sleepers = () =>
    own<{ pid: number }[]>`
      select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`
  return {
    closeAfter: async (seq) => void (await own`update action_do.event_gate set after = ${seq}`),
    holds: () => until(async () => (await sleepers()).length > 0),
    async open() {
      await own`update action_do.event_gate set after = null`
      for (const { pid } of await sleepers()) await own`select pg_terminate_backend(${pid})`
      await until(async () => (await sleepers()).length === 0)
    },
  }
}
