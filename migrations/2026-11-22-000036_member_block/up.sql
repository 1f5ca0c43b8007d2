-- Why points of a member cannot be redeemed, and since when. Beside the books: a redemption asks under their lock.
ALTER TABLE account
  ADD COLUMN block_reason VARCHAR(200) NULL COMMENT 'none: they can',
  ADD COLUMN blocked_at   DATETIME(6) NULL;
