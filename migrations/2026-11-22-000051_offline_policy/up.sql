-- What tills of a merchant may do without a line. A merchant without a row has said nothing.
CREATE TABLE offline_policy (
  merchant_id           INT UNSIGNED NOT NULL,
  business_time_seconds INT UNSIGNED NOT NULL COMMENT 'how old a sale may be that is rated as of its own time',
  redeem_limit          DECIMAL(19,4) NULL COMMENT 'points that a till may take from a member, none: it may not',
  PRIMARY KEY (merchant_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
