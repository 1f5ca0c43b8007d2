ALTER TABLE posting_batch DROP COLUMN hashes;
