CREATE TABLE "action_do"."action_definitions" (
	"name" text NOT NULL,
	"version" integer NOT NULL,
	"definition" json,
	"defined_at" timestamp (3) with time zone NOT NULL,
	"actor" text NOT NULL,
	CONSTRAINT "action_definitions_name_version_pk" PRIMARY KEY("name","version")
);
--> statement-breakpoint
CREATE TABLE "action_do"."action_secrets" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"secret" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "action_do"."callbacks" (
	"bucket" smallint NOT NULL,
	"id" uuid NOT NULL,
	"run_id" uuid NOT NULL,
	"attempt" integer NOT NULL,
	"key" text NOT NULL,
	"token" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"deadline_at" timestamp (3) with time zone NOT NULL,
	"accepted_at" timestamp (3) with time zone,
	"progress" json,
	"outcome" text,
	"body" json,
	"ended_at" timestamp (3) with time zone,
	CONSTRAINT "callbacks_bucket_id_pk" PRIMARY KEY("bucket","id"),
	CONSTRAINT "callbacks_outcome" CHECK ("action_do"."callbacks"."outcome" in ('complete', 'fail')),
	CONSTRAINT "callbacks_ended" CHECK (("action_do"."callbacks"."outcome" is null) = ("action_do"."callbacks"."ended_at" is null))
);
--> statement-breakpoint
CREATE INDEX "action_secrets_of" ON "action_do"."action_secrets" USING btree ("name");--> statement-breakpoint
CREATE INDEX "callbacks_of_run" ON "action_do"."callbacks" USING btree ("bucket","run_id");