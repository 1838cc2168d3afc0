CREATE TABLE "action_do"."recent_changes" (
	"at" timestamp (3) with time zone NOT NULL,
	"number" bigint GENERATED ALWAYS AS IDENTITY (sequence name "action_do"."recent_changes_number_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"roots" uuid[] NOT NULL,
	"seqs" integer[] NOT NULL,
	CONSTRAINT "recent_changes_at_number_pk" PRIMARY KEY("at","number")
);
--> statement-breakpoint
ALTER TABLE "action_do"."recent_changes" SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);--> statement-breakpoint
ALTER TABLE "action_do"."events" RENAME TO "written_events";--> statement-breakpoint
ALTER TABLE "action_do"."runs" DROP CONSTRAINT "runs_consistent";--> statement-breakpoint
ALTER TABLE "action_do"."written_events" RENAME CONSTRAINT "events_bucket_root_id_seq_pk" TO "written_events_bucket_root_id_seq_pk";--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "opening" "action_do"."event_reason";--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "submitted_by" text;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "tells_start" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "tells_end" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD CONSTRAINT "runs_consistent" CHECK ("action_do"."runs"."bucket" between 0 and 1023
        and ("action_do"."runs"."status" = 'RUNNING' and "action_do"."runs"."kind" = 'ACTION') = ("action_do"."runs"."worker_id" is not null)
        and ("action_do"."runs"."status" in ('QUEUED', 'SCHEDULED')) = ("action_do"."runs"."available_at" is not null)
        and ("action_do"."runs"."status" in ('SUCCEEDED', 'FAILED', 'CANCELED', 'SKIPPED', 'COMPENSATED')) = ("action_do"."runs"."finished_at" is not null)
        and ("action_do"."runs"."result" is null or "action_do"."runs"."status" in ('SUCCEEDED', 'SKIPPED', 'COMPENSATING', 'COMPENSATED'))
        and ("action_do"."runs"."succeeded_by" is null or "action_do"."runs"."status" = 'SUCCEEDED')
        and ("action_do"."runs"."parent_id" is null) = ("action_do"."runs"."step_key" is null)
        and (not "action_do"."runs"."tells_end" or "action_do"."runs"."status" = 'SUCCEEDED'));--> statement-breakpoint
CREATE VIEW "action_do"."events" AS (
  select * from action_do.written_events
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