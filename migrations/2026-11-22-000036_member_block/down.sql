ALTER TABLE account DROP COLUMN block_reason, DROP COLUMN blocked_at;
