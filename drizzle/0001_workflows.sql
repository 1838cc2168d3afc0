ALTER TYPE "action_do"."event_reason" ADD VALUE 'PLANNED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'READY';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'WAIT_BEGUN';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'COMPUTED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'CONDITION_FALSE';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'DEPENDENCIES_SKIPPED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'JOIN_OUT_OF_REACH';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'NOT_NEEDED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'INPUT_REFUSED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'TIME_REACHED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'SIGNAL_RECEIVED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'FALLBACK_TAKEN';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'WAIT_EXPIRED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'LINKED_RUN_SUCCEEDED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'LINKED_RUN_FAILED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'LIMIT_GRANTED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'STEP_FAILED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'STEP_INDETERMINATE';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'DEADLINE_PASSED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'RESULT_REFUSED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'LOOP_EXHAUSTED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'GRAPH_NEEDED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'REVIVED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'RESET';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'TAKEN_OVER';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'SKIP_REQUESTED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'RESOLVED_SUCCEEDED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'RESOLVED_FAILED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'PAUSE_REQUESTED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'RESUME_REQUESTED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'COMPENSATION_BEGUN';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'COMPENSATED';--> statement-breakpoint
ALTER TYPE "action_do"."event_reason" ADD VALUE 'COMPENSATION_FAILED';--> statement-breakpoint
ALTER TYPE "action_do"."run_kind" ADD VALUE 'GROUP';--> statement-breakpoint
ALTER TYPE "action_do"."run_kind" ADD VALUE 'WAIT';--> statement-breakpoint
ALTER TYPE "action_do"."run_kind" ADD VALUE 'VALUE';--> statement-breakpoint
CREATE TABLE "action_do"."graphs" (
	"hash" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"graph" json NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "action_do"."limit_holders" (
	"bucket" smallint NOT NULL,
	"key" text NOT NULL,
	"run_id" uuid NOT NULL,
	"root_id" uuid NOT NULL,
	"max" integer NOT NULL,
	"granted" boolean NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "limit_holders_bucket_key_run_id_pk" PRIMARY KEY("bucket","key","run_id")
);
--> statement-breakpoint
CREATE TABLE "action_do"."limits" (
	"bucket" smallint NOT NULL,
	"key" text NOT NULL,
	CONSTRAINT "limits_bucket_key_pk" PRIMARY KEY("bucket","key")
);
--> statement-breakpoint
CREATE TABLE "action_do"."signals" (
	"bucket" smallint NOT NULL,
	"run_id" uuid NOT NULL,
	"name" text NOT NULL,
	"number" integer NOT NULL,
	"payload" json NOT NULL,
	"actor" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"taken_by" uuid,
	CONSTRAINT "signals_bucket_run_id_name_number_pk" PRIMARY KEY("bucket","run_id","name","number")
);
--> statement-breakpoint
CREATE TABLE "action_do"."workflow_definitions" (
	"name" text PRIMARY KEY NOT NULL,
	"graph" text NOT NULL,
	"defined_at" timestamp (3) with time zone NOT NULL,
	"actor" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "action_do"."runs" DROP CONSTRAINT "runs_worker_while_running";--> statement-breakpoint
ALTER TABLE "action_do"."runs" DROP CONSTRAINT "runs_result_when_succeeded";--> statement-breakpoint
DROP INDEX "action_do"."runs_ready";--> statement-breakpoint
DROP INDEX "action_do"."runs_newest";--> statement-breakpoint
DROP INDEX "action_do"."runs_newest_of_name";--> statement-breakpoint
DROP INDEX "action_do"."runs_newest_of_status";--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "step_index" integer;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "graph" text;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "parent_graph" text;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "queue" text;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "paused" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "pending_count" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "live_count" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "active_count" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "failed_count" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "indeterminate_count" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "size" integer;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "next_index" integer;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "resolved" text;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "wait" json;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "wait_name" text;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "wake_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "undoes" uuid;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "linked_id" uuid;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "limit_key" text;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "forked_from" uuid;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "depth" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD COLUMN "ended_seq" integer;--> statement-breakpoint
ALTER TABLE "action_do"."workers" ADD COLUMN "queues" json;--> statement-breakpoint
CREATE INDEX "limit_holders_in_turn" ON "action_do"."limit_holders" USING btree ("bucket","key","granted","at");--> statement-breakpoint
CREATE INDEX "runs_ready_steps" ON "action_do"."runs" USING btree ("queue","priority" DESC NULLS FIRST,"available_at") WHERE "action_do"."runs"."status" = 'QUEUED' and "action_do"."runs"."queue" is not null and not "action_do"."runs"."paused";--> statement-breakpoint
CREATE INDEX "runs_children" ON "action_do"."runs" USING btree ("parent_id") WHERE "action_do"."runs"."parent_id" is not null;--> statement-breakpoint
CREATE INDEX "runs_to_wake" ON "action_do"."runs" USING btree ("wake_at") WHERE "action_do"."runs"."wake_at" is not null;--> statement-breakpoint
CREATE INDEX "runs_waiting_for" ON "action_do"."runs" USING btree ("root_id","wait_name") WHERE "action_do"."runs"."wait_name" is not null;--> statement-breakpoint
CREATE INDEX "runs_linked" ON "action_do"."runs" USING btree ("linked_id") WHERE "action_do"."runs"."status" = 'WAITING' and "action_do"."runs"."linked_id" is not null;--> statement-breakpoint
CREATE INDEX "runs_limited" ON "action_do"."runs" USING btree ("limit_key") WHERE "action_do"."runs"."status" = 'WAITING' and "action_do"."runs"."limit_key" is not null;--> statement-breakpoint
CREATE INDEX "runs_ready" ON "action_do"."runs" USING btree ("name","priority" DESC NULLS FIRST,"available_at") WHERE "action_do"."runs"."status" = 'QUEUED' and "action_do"."runs"."queue" is null and not "action_do"."runs"."paused";--> statement-breakpoint
CREATE INDEX "runs_newest" ON "action_do"."runs" USING btree ("created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST) WHERE "action_do"."runs"."parent_id" is null;--> statement-breakpoint
CREATE INDEX "runs_newest_of_name" ON "action_do"."runs" USING btree ("name","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST) WHERE "action_do"."runs"."parent_id" is null;--> statement-breakpoint
CREATE INDEX "runs_newest_of_status" ON "action_do"."runs" USING btree ("status","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST) WHERE "action_do"."runs"."parent_id" is null and "action_do"."runs"."status" in ('PENDING', 'WAITING', 'FAILED', 'CANCELED', 'SKIPPED', 'INDETERMINATE', 'COMPENSATING', 'COMPENSATED');--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD CONSTRAINT "runs_worker_while_running" CHECK (("action_do"."runs"."status" = 'RUNNING' and "action_do"."runs"."kind" = 'ACTION') = ("action_do"."runs"."worker_id" is not null));--> statement-breakpoint
ALTER TABLE "action_do"."runs" ADD CONSTRAINT "runs_result_when_succeeded" CHECK ("action_do"."runs"."result" is null or "action_do"."runs"."status" in ('SUCCEEDED', 'SKIPPED', 'COMPENSATING', 'COMPENSATED'));