-- Redemptions that stand alone: what was asked and given, as JSON; the points are in the ledger. Only what came back of one
-- is ever updated, under the lock of its account. A key for each question that is asked, all newest first.
CREATE TABLE redemption (
  merchant_id       INT UNSIGNED NOT NULL,
  redemption_id     BINARY(16) NOT NULL,
  member_id         BINARY(16) NOT NULL,
  store_id          VARCHAR(64) NOT NULL,
  recorded_at       DATETIME(6) NOT NULL,
  given_back_points DECIMAL(19,4) NOT NULL,
  given_back_amount DECIMAL(19,4) NOT NULL,
  document          MEDIUMTEXT NOT NULL,
  PRIMARY KEY (merchant_id, redemption_id),
  KEY redemption_member (merchant_id, member_id, recorded_at, redemption_id),
  KEY redemption_store (merchant_id, store_id, recorded_at, redemption_id),
  KEY redemption_time (merchant_id, recorded_at, redemption_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
