-- Who may call, as whom and from where. The secrets are not here, only their hashes.
CREATE TABLE api_key (
  merchant_id          INT UNSIGNED NOT NULL,
  key_id               VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name                 VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'who acts, unless the call says',
  role                 TINYINT UNSIGNED NOT NULL COMMENT '1 terminal, 2 back office, 3 read-only, 4 operator',
  store_id             VARCHAR(64) NULL COMMENT 'the only store it acts in',
  terminal_id          VARCHAR(64) NULL COMMENT 'the only terminal of it',
  secret_hash          BINARY(32) NOT NULL COMMENT 'SHA-256 of the secret',
  previous_secret_hash BINARY(32) NULL COMMENT 'of the secret before the last rotation',
  previous_until       DATETIME(6) NULL COMMENT 'until when that one holds',
  created_at           DATETIME(6) NOT NULL,
  expires_at           DATETIME(6) NULL,
  revoked_at           DATETIME(6) NULL,
  PRIMARY KEY (merchant_id, key_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
