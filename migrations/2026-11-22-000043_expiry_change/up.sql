-- Where a lot went whose points were moved to another expiry: what comes back to it goes there.
ALTER TABLE lot ADD COLUMN moved_expires_at DATETIME(6) NULL, ADD COLUMN moved_sequence BIGINT UNSIGNED NULL;

-- Runs that move lots of a program to the expiry it has by now, and how far each is.
CREATE TABLE expiry_change_run (
  merchant_id    INT UNSIGNED NOT NULL,
  request_id     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  program_id     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  extend_only    TINYINT UNSIGNED NOT NULL COMMENT 'moves nothing to an earlier instant',
  actor          VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  started_at     DATETIME(6) NOT NULL,
  finished_at    DATETIME(6) NULL COMMENT 'none: it goes on, or broke off',
  done_member_id BINARY(16) NOT NULL COMMENT 'members up to this one are done',
  members        BIGINT UNSIGNED NOT NULL COMMENT 'whose points lapse at another instant now',
  lots           BIGINT UNSIGNED NOT NULL,
  points         DECIMAL(19,4) NOT NULL COMMENT 'in these lots',
  lapsed_points  DECIMAL(19,4) NOT NULL COMMENT 'that lapsed by the change',
  kept_lots      BIGINT UNSIGNED NOT NULL COMMENT 'whose expiry is not the program''s, or that are held',
  kept_points    DECIMAL(19,4) NOT NULL,
  PRIMARY KEY (merchant_id, request_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
