ALTER TABLE "action_do"."runs" DROP CONSTRAINT "runs_consistent";--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "succeeded_by" text;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD CONSTRAINT "runs_consistent" CHECK ("action_do"."runs"."bucket" between 0 and 1023
        and ("action_do"."runs"."status" = 'RUNNING' and "action_do"."runs"."kind" = 'ACTION') = ("action_do"."runs"."worker_id" is not null)
        and ("action_do"."runs"."status" in ('QUEUED', 'SCHEDULED')) = ("action_do"."runs"."available_at" is not null)
        and ("action_do"."runs"."status" in ('SUCCEEDED', 'FAILED', 'CANCELED', 'SKIPPED', 'COMPENSATED')) = ("action_do"."runs"."finished_at" is not null)
        and ("action_do"."runs"."result" is null or "action_do"."runs"."status" in ('SUCCEEDED', 'SKIPPED', 'COMPENSATING', 'COMPENSATED'))
        and ("action_do"."runs"."succeeded_by" is null or "action_do"."runs"."status" = 'SUCCEEDED')
        and ("action_do"."runs"."parent_id" is null) = ("action_do"."runs"."step_key" is null));