ALTER TABLE "action_do"."workers" ADD COLUMN "name" text;--> statement-breakpoint
ALTER TABLE "action_do"."workers" ADD COLUMN "actions" json;--> statement-breakpoint
ALTER TABLE "action_do"."workers" ADD COLUMN "last_seen_at" timestamp (3) with time zone;