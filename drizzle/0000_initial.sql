CREATE SCHEMA IF NOT EXISTS "action_do";
--> statement-breakpoint
CREATE TYPE "action_do"."attempt_status" AS ENUM('RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELED', 'LOST');--> statement-breakpoint
CREATE TYPE "action_do"."effect" AS ENUM('transactional', 'idempotent', 'unsafe');--> statement-breakpoint
CREATE TYPE "action_do"."event_reason" AS ENUM('SUBMITTED', 'DELAYED', 'STARTED', 'DUE', 'COMPLETED', 'PROBE_CONFIRMED', 'RETRY_SCHEDULED', 'PERMANENT_FAILURE', 'RETRIES_EXHAUSTED', 'DEADLINE_EXCEEDED', 'LOST_TOO_OFTEN', 'WORKER_LOST', 'WORKER_STOPPED', 'NOT_STARTED', 'PROBE_NEEDED', 'OUTCOME_UNKNOWN', 'CANCEL_REQUESTED', 'RETRY_REQUESTED');--> statement-breakpoint
CREATE TYPE "action_do"."run_kind" AS ENUM('ACTION', 'WORKFLOW');--> statement-breakpoint
CREATE TYPE "action_do"."run_status" AS ENUM('PENDING', 'SCHEDULED', 'QUEUED', 'RUNNING', 'WAITING', 'SUCCEEDED', 'FAILED', 'CANCELED', 'SKIPPED', 'INDETERMINATE', 'COMPENSATING', 'COMPENSATED');--> statement-breakpoint
CREATE TABLE "action_do"."api_keys" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"hash" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "api_keys_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "action_do"."attempts" (
	"bucket" smallint NOT NULL,
	"run_id" uuid NOT NULL,
	"number" integer NOT NULL,
	"status" "action_do"."attempt_status" NOT NULL,
	"worker_id" text NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"finished_at" timestamp (3) with time zone NOT NULL,
	"error" json,
	CONSTRAINT "attempts_bucket_run_id_number_pk" PRIMARY KEY("bucket","run_id","number")
);
--> statement-breakpoint
CREATE TABLE "action_do"."commands" (
	"bucket" smallint NOT NULL,
	"run_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"key" text NOT NULL,
	"fingerprint" "bytea" NOT NULL,
	"outcome" json NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "commands_bucket_run_id_kind_key_pk" PRIMARY KEY("bucket","run_id","kind","key")
);
--> statement-breakpoint
CREATE TABLE "action_do"."events" (
	"bucket" smallint NOT NULL,
	"root_id" uuid NOT NULL,
	"seq" integer NOT NULL,
	"run_id" uuid NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"step_key" text,
	"from_status" "action_do"."run_status",
	"to_status" "action_do"."run_status" NOT NULL,
	"reason" "action_do"."event_reason" NOT NULL,
	"attempt" integer,
	"error" json,
	"actor" text,
	"data" json,
	CONSTRAINT "events_bucket_root_id_seq_pk" PRIMARY KEY("bucket","root_id","seq")
);
--> statement-breakpoint
CREATE TABLE "action_do"."runs" (
	"bucket" smallint NOT NULL,
	"id" uuid NOT NULL,
	"kind" "action_do"."run_kind" NOT NULL,
	"name" text NOT NULL,
	"version" text NOT NULL,
	"effect" "action_do"."effect" NOT NULL,
	"root_id" uuid NOT NULL,
	"parent_id" uuid,
	"step_key" text,
	"idempotency_key" text,
	"fingerprint" "bytea" NOT NULL,
	"params" json NOT NULL,
	"status" "action_do"."run_status" NOT NULL,
	"result" json,
	"error" json,
	"heartbeat" json,
	"priority" smallint NOT NULL,
	"generation" integer NOT NULL,
	"attempt" integer NOT NULL,
	"failures" smallint NOT NULL,
	"losses" smallint NOT NULL,
	"probe" boolean NOT NULL,
	"fence" integer NOT NULL,
	"worker_id" text,
	"available_at" timestamp (3) with time zone,
	"last_seq" integer NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"started_at" timestamp (3) with time zone,
	"attempt_started_at" timestamp (3) with time zone,
	"budget_started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	CONSTRAINT "runs_bucket_id_pk" PRIMARY KEY("bucket","id"),
	CONSTRAINT "runs_bucket_in_range" CHECK ("action_do"."runs"."bucket" between 0 and 1023),
	CONSTRAINT "runs_worker_while_running" CHECK (("action_do"."runs"."status" = 'RUNNING') = ("action_do"."runs"."worker_id" is not null)),
	CONSTRAINT "runs_due_while_waiting_to_run" CHECK (("action_do"."runs"."status" in ('QUEUED', 'SCHEDULED')) = ("action_do"."runs"."available_at" is not null)),
	CONSTRAINT "runs_finished_when_ended" CHECK (("action_do"."runs"."status" in ('SUCCEEDED', 'FAILED', 'CANCELED', 'SKIPPED', 'COMPENSATED')) = ("action_do"."runs"."finished_at" is not null)),
	CONSTRAINT "runs_result_when_succeeded" CHECK ("action_do"."runs"."result" is null or "action_do"."runs"."status" in ('SUCCEEDED', 'SKIPPED')),
	CONSTRAINT "runs_step_has_parent" CHECK (("action_do"."runs"."parent_id" is null) = ("action_do"."runs"."step_key" is null))
);
--> statement-breakpoint
CREATE TABLE "action_do"."workers" (
	"id" text PRIMARY KEY NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"lease_expires_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "events_newest" ON "action_do"."events" USING brin ("at") WITH (autosummarize=on,pages_per_range=16);--> statement-breakpoint
CREATE INDEX "runs_ready" ON "action_do"."runs" USING btree ("name","priority" DESC NULLS FIRST,"available_at") WHERE "action_do"."runs"."status" = 'QUEUED';--> statement-breakpoint
CREATE INDEX "runs_due" ON "action_do"."runs" USING btree ("available_at") WHERE "action_do"."runs"."status" = 'SCHEDULED';--> statement-breakpoint
CREATE INDEX "runs_running" ON "action_do"."runs" USING btree ("worker_id") WHERE "action_do"."runs"."worker_id" is not null;--> statement-breakpoint
CREATE INDEX "runs_newest" ON "action_do"."runs" USING btree ("created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "runs_newest_of_name" ON "action_do"."runs" USING btree ("name","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "runs_newest_of_status" ON "action_do"."runs" USING btree ("status","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST) WHERE "action_do"."runs"."status" in ('PENDING', 'WAITING', 'FAILED', 'CANCELED', 'SKIPPED', 'INDETERMINATE', 'COMPENSATING', 'COMPENSATED');