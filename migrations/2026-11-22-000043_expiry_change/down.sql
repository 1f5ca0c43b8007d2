DROP TABLE expiry_change_run;
ALTER TABLE lot DROP COLUMN moved_expires_at, DROP COLUMN moved_sequence;
