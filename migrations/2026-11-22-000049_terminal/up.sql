-- The tills of a store, which keys are bound to.
CREATE TABLE terminal (
  merchant_id INT UNSIGNED NOT NULL,
  store_id    VARCHAR(64) NOT NULL,
  terminal_id VARCHAR(64) NOT NULL,
  created_at  DATETIME(6) NOT NULL,
  PRIMARY KEY (merchant_id, store_id, terminal_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
