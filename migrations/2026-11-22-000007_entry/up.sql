-- The ledger. Rows are only ever inserted.
CREATE TABLE entry (
  merchant_id     INT UNSIGNED NOT NULL,
  member_id       BINARY(16) NOT NULL,
  sequence        BIGINT UNSIGNED NOT NULL,
  kind            TINYINT UNSIGNED NOT NULL COMMENT '1 earn, 2 redeem, 3 expire',
  points          DECIMAL(19,4) NOT NULL,
  balance_after   DECIMAL(19,4) NOT NULL,
  tier_spend      DECIMAL(19,4) NOT NULL COMMENT 'what it added to the spend for tiers',
  store_id        VARCHAR(64) NULL,
  sale_id         VARCHAR(64) NULL,
  document_type   VARCHAR(64) NULL COMMENT 'the shop''s own',
  document_number VARCHAR(64) NULL COMMENT 'the shop''s own',
  program_version INT UNSIGNED NOT NULL,
  lot_expires_at  DATETIME(6) NULL COMMENT 'of the lot it created: with the sequence its key',
  expense_account VARCHAR(64) NULL COMMENT 'of a redemption',
  cost_center     VARCHAR(64) NULL COMMENT 'of a redemption',
  occurred_at     DATETIME(6) NOT NULL COMMENT 'in the shop',
  recorded_at     DATETIME(6) NOT NULL COMMENT 'here, never goes back within a member',
  PRIMARY KEY (merchant_id, member_id, sequence)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
