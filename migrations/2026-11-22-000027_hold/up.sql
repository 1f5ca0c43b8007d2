-- Points set aside: what was asked and which lots hold it, as JSON that never changes, and what became of it. That the time
-- limit has passed shows in lapses_at; the next write to the member marks it. The lots themselves know nothing of holds.
CREATE TABLE hold (
  merchant_id     INT UNSIGNED NOT NULL,
  hold_id         BINARY(16) NOT NULL,
  member_id       BINARY(16) NOT NULL,
  store_id        VARCHAR(64) NOT NULL,
  state           TINYINT UNSIGNED NOT NULL COMMENT '0 open, 1 captured, 2 released, 3 marked as lapsed',
  placed_at       DATETIME(6) NOT NULL,
  lapses_at       DATETIME(6) NOT NULL,
  ended_at        DATETIME(6) NULL COMMENT 'when it was captured or released',
  redemption_id   BINARY(16) NULL COMMENT 'that captured it',
  captured_points DECIMAL(19,4) NULL,
  document        MEDIUMTEXT NOT NULL,
  PRIMARY KEY (merchant_id, hold_id),
  KEY hold_open (merchant_id, member_id, state, lapses_at),
  KEY hold_member (merchant_id, member_id, placed_at, hold_id),
  KEY hold_store (merchant_id, store_id, placed_at, hold_id),
  KEY hold_time (merchant_id, placed_at, hold_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
