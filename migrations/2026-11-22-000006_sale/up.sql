-- The documents of the POS, as recorded, with what they did. Never updated.
CREATE TABLE sale (
  merchant_id     INT UNSIGNED NOT NULL,
  store_id        VARCHAR(64) NOT NULL,
  sale_id         VARCHAR(64) NOT NULL,
  member_id       BINARY(16) NOT NULL,
  content_hash    BINARY(32) NOT NULL COMMENT 'tells a repetition from a conflict',
  program_version INT UNSIGNED NOT NULL,
  occurred_at     DATETIME(6) NOT NULL,
  recorded_at     DATETIME(6) NOT NULL,
  document        MEDIUMTEXT NOT NULL,
  outcome         MEDIUMTEXT NOT NULL,
  PRIMARY KEY (merchant_id, store_id, sale_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
