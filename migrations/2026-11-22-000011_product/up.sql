-- What a unit of a product earns and costs, in force from one version of its program up to (not including) another;
-- 4294967295: until now. A row with neither says that the product was removed: so every change is a row that begins.
CREATE TABLE product (
  merchant_id   INT UNSIGNED NOT NULL,
  program_id    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  product_id    VARCHAR(64) NOT NULL,
  from_version  INT UNSIGNED NOT NULL,
  until_version INT UNSIGNED NOT NULL,
  points        DECIMAL(19,4) NULL COMMENT 'that a unit earns, 0: it never earns',
  redeem_points DECIMAL(19,4) NULL COMMENT 'that a unit costs',
  PRIMARY KEY (merchant_id, program_id, product_id, from_version),
  KEY product_change (merchant_id, program_id, from_version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
