ALTER TABLE entry DROP COLUMN inactive_at;
ALTER TABLE account DROP COLUMN active_at, DROP COLUMN inactive_at;
