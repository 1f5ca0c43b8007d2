-- State of a member's books, derived from the entries and lots. A sale that only earns reads and writes this row and
-- loads no lots: the first open lot says when the next points lapse.
CREATE TABLE account (
  merchant_id               INT UNSIGNED NOT NULL,
  member_id                 BINARY(16) NOT NULL,
  program_id                VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  last_sequence             BIGINT UNSIGNED NOT NULL,
  points                    DECIMAL(19,4) NOT NULL COMMENT 'what remains of the lots',
  held                      DECIMAL(19,4) NOT NULL COMMENT 'set aside by live holds',
  debt                      DECIMAL(19,4) NOT NULL COMMENT 'owed beside the lots, balance = points - debt',
  first_open_lot_expires_at DATETIME(6) NULL,
  first_open_lot_sequence   BIGINT UNSIGNED NULL,
  hold_lapses_at            DATETIME(6) NULL,
  tier_id                   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  tier_spend                DECIMAL(19,4) NOT NULL,
  lifetime_earned           DECIMAL(19,4) NOT NULL,
  lifetime_redeemed         DECIMAL(19,4) NOT NULL,
  lifetime_expired          DECIMAL(19,4) NOT NULL,
  carry                     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'fraction of a point kept for the next sale, as 1/3',
  recorded_at               DATETIME(6) NOT NULL COMMENT 'of the newest entry, never goes back',
  customer_group            VARCHAR(200) NOT NULL COMMENT 'a path, or empty',
  territory                 VARCHAR(200) NOT NULL COMMENT 'a path, or empty',
  assigned_rule_id          VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  state                     TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '0 open',
  PRIMARY KEY (merchant_id, member_id),
  KEY account_program (merchant_id, program_id, state, member_id),
  CONSTRAINT account_lots_not_negative CHECK (points >= 0 AND held >= 0 AND debt >= 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
