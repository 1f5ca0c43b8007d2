-- Rewards, as JSON, in force from one version of their program up to (not including) another; 4294967295: until now.
CREATE TABLE reward (
  merchant_id   INT UNSIGNED NOT NULL,
  program_id    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  reward_id     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  from_version  INT UNSIGNED NOT NULL,
  until_version INT UNSIGNED NOT NULL,
  archived      TINYINT UNSIGNED NOT NULL COMMENT '1: out of use',
  definition    TEXT NOT NULL,
  recorded_at   DATETIME(6) NOT NULL,
  PRIMARY KEY (merchant_id, program_id, reward_id, from_version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
