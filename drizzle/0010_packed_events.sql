DROP VIEW "action_do"."events";--> statement-breakpoint
ALTER TABLE "action_do"."written_events" ADD COLUMN "last_seq" integer;--> statement-breakpoint
ALTER TABLE "action_do"."written_events" ADD COLUMN "more" json;--> statement-breakpoint
CREATE VIEW "action_do"."events" AS (
  select w.bucket, w.root_id, w.seq, w.run_id, w.at, w.step_key, w.from_status, w.to_status, w.reason, w.attempt, w.error, w.actor, w.data
  from action_do.written_events w
  union all
  select w.bucket, w.root_id, w.seq + m.place::int4, (m.event ->> 0)::uuid, w.at, m.event ->> 1, (m.event ->> 2)::action_do.run_status,
    (m.event ->> 3)::action_do.run_status, (m.event ->> 4)::action_do.event_reason, (m.event ->> 5)::int4,
    case when json_typeof(m.event -> 6) <> 'null' then m.event -> 6 end, m.event ->> 7,
    case when json_typeof(m.event -> 8) <> 'null' then m.event -> 8 end
  from action_do.written_events w cross join lateral json_array_elements(w.more) with ordinality m(event, place)
  union all
  select t.* from action_do.runs r cross join lateral (
  select r.bucket, r.id as root_id, t.seq, r.id as run_id, t.at, null::text as step_key, t.from_status, t.to_status, t.reason, t.attempt,
    null::json as error, t.actor, null::json as data
  from (values
    (1, r.created_at, null::action_do.run_status, case r.opening when 'STARTED' then 'RUNNING' else 'QUEUED' end::action_do.run_status,
      r.opening, case r.opening when 'STARTED' then 1 end, r.submitted_by, r.opening is not null),
    (2, r.started_at, 'QUEUED', 'RUNNING', 'STARTED', 1, null, r.tells_start),
    (r.last_seq, r.finished_at, 'RUNNING', 'SUCCEEDED', 'COMPLETED', r.attempt, null, r.tells_end)
  ) as t(seq, at, from_status, to_status, reason, attempt, actor, told)
  where t.told) t
  where r.opening is not null or r.tells_end);