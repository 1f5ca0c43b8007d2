ALTER TABLE entry DROP COLUMN reference, DROP COLUMN at_store_id, DROP COLUMN terminal_id, DROP COLUMN cashier_id, DROP COLUMN actor, DROP COLUMN reason_id, DROP COLUMN note;
