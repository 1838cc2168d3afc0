DROP INDEX "action_do"."runs_newest";--> statement-breakpoint
DROP INDEX "action_do"."runs_newest_of_name";--> statement-breakpoint
DROP INDEX "action_do"."runs_newest_of_status";--> statement-breakpoint
CREATE INDEX "runs_newest" ON "action_do"."runs" USING btree ("created_at","id") WHERE "action_do"."runs"."parent_id" is null;--> statement-breakpoint
CREATE INDEX "runs_newest_of_name" ON "action_do"."runs" USING btree ("name","created_at","id") WHERE "action_do"."runs"."parent_id" is null;--> statement-breakpoint
CREATE INDEX "runs_newest_of_status" ON "action_do"."runs" USING btree ("indexed_status","created_at","id") WHERE "action_do"."runs"."parent_id" is null and "action_do"."runs"."indexed_status" in ('RUNNING', 'WAITING', 'FAILED', 'CANCELED', 'SKIPPED', 'INDETERMINATE', 'COMPENSATING', 'COMPENSATED');