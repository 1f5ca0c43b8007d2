ALTER TABLE account DROP COLUMN opted_out_at;
