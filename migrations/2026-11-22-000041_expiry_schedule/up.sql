-- When an account has to be looked at for points that lapse. It may be too early, never too late, so that few writes
-- move it: those that give points which lapse before it, and those that find its time has come.
ALTER TABLE account
  ADD COLUMN sweep_at DATETIME(6) NULL COMMENT 'not after the next lapse, none: nothing will lapse',
  ADD KEY account_sweep (merchant_id, sweep_at, member_id);

UPDATE account SET sweep_at = first_open_lot_expires_at WHERE first_open_lot_expires_at < '9999-12-31';

-- How often lapsed points of a merchant are written off, and what came of it last time.
CREATE TABLE expiry_schedule (
  merchant_id     INT UNSIGNED NOT NULL,
  period_seconds  INT UNSIGNED NULL COMMENT 'none: only when it is asked for',
  next_run_at     DATETIME(6) NULL COMMENT 'none: as above',
  run_started_at  DATETIME(6) NULL COMMENT 'of the last run, none: there was none',
  run_finished_at DATETIME(6) NULL COMMENT 'none: it goes on, or broke off',
  run_members     BIGINT UNSIGNED NOT NULL COMMENT 'whose points it wrote off',
  run_lots        BIGINT UNSIGNED NOT NULL,
  run_points      DECIMAL(19,4) NOT NULL,
  PRIMARY KEY (merchant_id),
  KEY expiry_schedule_due (next_run_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO expiry_schedule SELECT merchant_id, 3600, created_at, NULL, NULL, 0, 0, 0 FROM merchant;
