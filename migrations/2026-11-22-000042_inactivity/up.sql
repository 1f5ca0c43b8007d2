-- Since when a member has done nothing, and when all points lapse for it; what counts for a lot is the earlier of this and
-- its own instant.
ALTER TABLE account ADD COLUMN active_at DATETIME(6) NULL, ADD COLUMN inactive_at DATETIME(6) NULL;
-- The same instant as it was known from the entry on, so that it can be told of the past.
ALTER TABLE entry ADD COLUMN inactive_at DATETIME(6) NULL;
