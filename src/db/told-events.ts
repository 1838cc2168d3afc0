/**
 * SQL for the events of a run `r` that are no rows: a single action that begins and ends well says itself all that they would.
 * The first is told for ever by what never changes; the last, because nothing follows a success of a single action.
 */
export const TOLD_EVENTS = `
  select r.bucket, r.id as root_id, t.seq, r.id as run_id, t.at, null::text as step_key, t.from_status, t.to_status, t.reason, t.attempt,
    null::json as error, t.actor, null::json as data
  from (values
    (1, r.created_at, null::action_do.run_status, case r.opening when 'STARTED' then 'RUNNING' else 'QUEUED' end::action_do.run_status,
      r.opening, case r.opening when 'STARTED' then 1 end, r.submitted_by, r.opening is not null),
    (2, r.started_at, 'QUEUED', 'RUNNING', 'STARTED', 1, null, r.tells_start),
    (r.last_seq, r.finished_at, 'RUNNING', 'SUCCEEDED', 'COMPLETED', r.attempt, null, r.tells_end)
  ) as t(seq, at, from_status, to_status, reason, attempt, actor, told)
  where t.told`
