ALTER TABLE "action_do"."attempts" RENAME TO "written_attempts";--> statement-breakpoint
ALTER TABLE "action_do"."written_attempts" RENAME CONSTRAINT "attempts_bucket_run_id_number_pk" TO "written_attempts_bucket_run_id_number_pk";--> statement-breakpoint
CREATE VIEW "action_do"."attempts" AS (
  select * from action_do.written_attempts
  union all
  select r.bucket, r.id, r.attempt, 'SUCCEEDED', r.succeeded_by, r.attempt_started_at, greatest(r.finished_at, r.attempt_started_at), null
  from action_do.runs r where r.succeeded_by is not null);