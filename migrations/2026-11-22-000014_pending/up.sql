-- What of which lots cannot be spent yet. Rows whose time has come are removed by the next write to the member.
CREATE TABLE pending (
  merchant_id    INT UNSIGNED NOT NULL,
  member_id      BINARY(16) NOT NULL,
  pending_until  DATETIME(6) NOT NULL,
  lot_expires_at DATETIME(6) NOT NULL,
  lot_sequence   BIGINT UNSIGNED NOT NULL,
  points         DECIMAL(19,4) NOT NULL,
  PRIMARY KEY (merchant_id, member_id, pending_until, lot_expires_at, lot_sequence)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
