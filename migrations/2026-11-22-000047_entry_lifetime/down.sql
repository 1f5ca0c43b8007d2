ALTER TABLE entry DROP COLUMN lifetime_earned, DROP COLUMN lifetime_redeemed, DROP COLUMN lifetime_expired;
