-- Counts the changes of what belongs to a merchant and to no program.
ALTER TABLE merchant
  ADD COLUMN configuration_version INT UNSIGNED NOT NULL DEFAULT 0;

-- Reasons for which points are adjusted, as JSON, in force from one version of the merchant's configuration up to (not
-- including) another; 4294967295: until now.
CREATE TABLE reason (
  merchant_id   INT UNSIGNED NOT NULL,
  reason_id     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  from_version  INT UNSIGNED NOT NULL,
  until_version INT UNSIGNED NOT NULL,
  definition    MEDIUMTEXT NOT NULL,
  recorded_at   DATETIME(6) NOT NULL,
  PRIMARY KEY (merchant_id, reason_id, from_version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
