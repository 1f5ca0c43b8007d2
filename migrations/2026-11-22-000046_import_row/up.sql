-- The members that imports brought, by the row they came with, so that a row that is sent again changes nothing.
CREATE TABLE import_row (
  merchant_id  INT UNSIGNED NOT NULL,
  import_id    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  number       BIGINT UNSIGNED NOT NULL,
  content_hash BINARY(32) NOT NULL,
  member_id    BINARY(16) NOT NULL,
  recorded_at  DATETIME(6) NOT NULL,
  PRIMARY KEY (merchant_id, import_id, number)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
