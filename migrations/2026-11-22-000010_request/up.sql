-- What became of every write, by its request id, so that a repetition gets the same answer. Written in the same
-- transaction as the effects.
CREATE TABLE request (
  merchant_id  INT UNSIGNED NOT NULL,
  request_id   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  content_hash BINARY(32) NOT NULL,
  recorded_at  DATETIME(6) NOT NULL,
  store_id     VARCHAR(64) NULL COMMENT 'with sale_id: the sale whose outcome is the answer',
  sale_id      VARCHAR(64) NULL,
  answer       MEDIUMTEXT NULL COMMENT 'where the answer is not a sale',
  PRIMARY KEY (merchant_id, request_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
