-- What came back of sales: returns and cancellations, numbered per sale under the lock of its account. Never updated. A
-- cancellation has no return id.
CREATE TABLE sale_reversal (
  merchant_id   INT UNSIGNED NOT NULL,
  sale_store_id VARCHAR(64) NOT NULL,
  sale_id       VARCHAR(64) NOT NULL,
  number        INT UNSIGNED NOT NULL COMMENT 'from 1 without gaps within the sale',
  store_id      VARCHAR(64) NOT NULL COMMENT 'where it happened',
  return_id     VARCHAR(64) NULL COMMENT 'of the POS, none: a cancellation',
  content_hash  BINARY(32) NOT NULL COMMENT 'tells a repetition from a conflict',
  occurred_at   DATETIME(6) NOT NULL,
  recorded_at   DATETIME(6) NOT NULL,
  document      MEDIUMTEXT NOT NULL,
  state         MEDIUMTEXT NOT NULL COMMENT 'where the sale stands after it',
  outcome       MEDIUMTEXT NOT NULL,
  PRIMARY KEY (merchant_id, sale_store_id, sale_id, number),
  UNIQUE KEY sale_reversal_return (merchant_id, store_id, return_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
