-- The member that an account was merged into: whoever means the one means the other since. Never changes of an account
-- but for its target being merged itself, which the key finds.
ALTER TABLE account
  ADD COLUMN merged_into BINARY(16) NULL,
  ADD KEY account_merged (merchant_id, merged_into),
  MODIFY COLUMN state TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '0 open, 1 merged, 2 erased';
