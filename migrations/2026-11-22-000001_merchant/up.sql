-- The tenants. Every other row belongs to one of them.
CREATE TABLE merchant (
  merchant_id INT UNSIGNED NOT NULL,
  code        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at  DATETIME(6) NOT NULL,
  PRIMARY KEY (merchant_id),
  UNIQUE KEY merchant_code (code)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
