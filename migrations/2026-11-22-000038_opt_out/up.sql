-- Since when a member takes no part: nothing is earned from then on.
ALTER TABLE account ADD COLUMN opted_out_at DATETIME(6) NULL;
