-- Points that arrived together and expire together, clustered in the order they are consumed: earliest expiry first,
-- never-expiring last (9999-12-31), oldest first among equals.
CREATE TABLE lot (
  merchant_id INT UNSIGNED NOT NULL,
  member_id   BINARY(16) NOT NULL,
  expires_at  DATETIME(6) NOT NULL,
  sequence    BIGINT UNSIGNED NOT NULL COMMENT 'of the entry that created it',
  points      DECIMAL(19,4) NOT NULL,
  remaining   DECIMAL(19,4) NOT NULL,
  PRIMARY KEY (merchant_id, member_id, expires_at, sequence),
  CONSTRAINT lot_remaining_within CHECK (remaining >= 0 AND remaining <= points)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Which entry put how much into (positive) or took how much out of (negative) which lot. That an entry created its own
-- lot whole is not repeated here.
CREATE TABLE allocation (
  merchant_id    INT UNSIGNED NOT NULL,
  member_id      BINARY(16) NOT NULL,
  sequence       BIGINT UNSIGNED NOT NULL COMMENT 'of the entry',
  lot_expires_at DATETIME(6) NOT NULL,
  lot_sequence   BIGINT UNSIGNED NOT NULL,
  points         DECIMAL(19,4) NOT NULL,
  PRIMARY KEY (merchant_id, member_id, sequence, lot_expires_at, lot_sequence)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
