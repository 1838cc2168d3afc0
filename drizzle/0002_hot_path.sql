CREATE TABLE "action_do"."holds" (
	"bucket" smallint NOT NULL,
	"number" bigint GENERATED ALWAYS AS IDENTITY (sequence name "action_do"."holds_number_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"worker_id" text NOT NULL,
	"buckets" smallint[] NOT NULL,
	"runs" uuid[] NOT NULL,
	CONSTRAINT "holds_bucket_number_pk" PRIMARY KEY("bucket","number")
);
--> statement-breakpoint
DROP INDEX "action_do"."runs_running";--> statement-breakpoint
DROP INDEX "action_do"."runs_ready";--> statement-breakpoint
DROP INDEX "action_do"."runs_ready_steps";--> statement-breakpoint
DROP INDEX "action_do"."runs_linked";--> statement-breakpoint
DROP INDEX "action_do"."runs_limited";--> statement-breakpoint
DROP INDEX "action_do"."runs_due";--> statement-breakpoint
DROP INDEX "action_do"."runs_newest_of_status";--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "indexed_status" "action_do"."run_status" GENERATED ALWAYS AS (case when status in ('PENDING', 'SUCCEEDED') or (status = 'RUNNING' and (kind <> 'WORKFLOW' or parent_id is not null)) then null else status end) STORED;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "indexed_queue" text GENERATED ALWAYS AS (case when status = 'QUEUED' then queue end) STORED;--> statement-breakpoint
CREATE INDEX "holds_of_worker" ON "action_do"."holds" USING btree ("worker_id");--> statement-breakpoint
CREATE INDEX "runs_ready" ON "action_do"."runs" USING btree ("name","priority" DESC NULLS FIRST,"available_at") WHERE "action_do"."runs"."indexed_status" = 'QUEUED' and "action_do"."runs"."kind" = 'ACTION' and "action_do"."runs"."parent_id" is null and not "action_do"."runs"."paused";--> statement-breakpoint
CREATE INDEX "runs_ready_steps" ON "action_do"."runs" USING btree ("indexed_queue","priority" DESC NULLS FIRST,"available_at") WHERE "action_do"."runs"."indexed_queue" is not null and not "action_do"."runs"."paused";--> statement-breakpoint
CREATE INDEX "runs_linked" ON "action_do"."runs" USING btree ("linked_id") WHERE "action_do"."runs"."indexed_status" = 'WAITING' and "action_do"."runs"."linked_id" is not null;--> statement-breakpoint
CREATE INDEX "runs_limited" ON "action_do"."runs" USING btree ("limit_key") WHERE "action_do"."runs"."indexed_status" = 'WAITING' and "action_do"."runs"."limit_key" is not null;--> statement-breakpoint
CREATE INDEX "runs_due" ON "action_do"."runs" USING btree ("available_at") WHERE "action_do"."runs"."indexed_status" = 'SCHEDULED';--> statement-breakpoint
CREATE INDEX "runs_newest_of_status" ON "action_do"."runs" USING btree ("indexed_status","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST) WHERE "action_do"."runs"."parent_id" is null and "action_do"."runs"."indexed_status" in ('RUNNING', 'WAITING', 'FAILED', 'CANCELED', 'SKIPPED', 'INDETERMINATE', 'COMPENSATING', 'COMPENSATED');--> statement-breakpoint
-- Room on each page for the next version of its runs: an update that changes no indexed column then stays on its page.
ALTER TABLE "action_do"."runs" SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);--> statement-breakpoint
-- Small, and all of it is written and deleted within seconds.
ALTER TABLE "action_do"."holds" SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);--> statement-breakpoint
ALTER TABLE "action_do"."workers" SET (fillfactor = 50);--> statement-breakpoint
INSERT INTO "action_do"."holds" ("bucket", "worker_id", "buckets", "runs")
SELECT min("bucket"), "worker_id", array_agg("bucket" ORDER BY "bucket", "id"), array_agg("id" ORDER BY "bucket", "id")
FROM "action_do"."runs" WHERE "worker_id" IS NOT NULL GROUP BY "worker_id";
