-- How merchants print what receipts say about points, as JSON, in force from one version of the merchant's configuration up
-- to (not including) another; 4294967295: until now. A merchant without a row has said nothing.
CREATE TABLE receipt_templates (
  merchant_id   INT UNSIGNED NOT NULL,
  from_version  INT UNSIGNED NOT NULL,
  until_version INT UNSIGNED NOT NULL,
  definition    MEDIUMTEXT NOT NULL,
  recorded_at   DATETIME(6) NOT NULL,
  PRIMARY KEY (merchant_id, from_version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
