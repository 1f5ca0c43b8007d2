-- What a committed batch touched, one row for each merchant in it: the ground for an ordered feed, since neither a
-- timestamp nor a running number of entries shows the order of commits.
CREATE TABLE posting_batch (
  merchant_id INT UNSIGNED NOT NULL,
  batch_id    BINARY(16) NOT NULL,
  recorded_at DATETIME(6) NOT NULL,
  touched     MEDIUMBLOB NOT NULL COMMENT 'per member: 16 bytes id, 8 bytes first and 4 bytes count of new entries',
  PRIMARY KEY (merchant_id, batch_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
