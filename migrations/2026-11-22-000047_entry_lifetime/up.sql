-- What a member who was imported had earned, redeemed and lost before: it counts in the totals of the account and in no
-- report.
ALTER TABLE entry
  ADD COLUMN lifetime_earned   DECIMAL(19,4) NULL COMMENT 'of an opening',
  ADD COLUMN lifetime_redeemed DECIMAL(19,4) NULL COMMENT 'of an opening',
  ADD COLUMN lifetime_expired  DECIMAL(19,4) NULL COMMENT 'of an opening';
