-- One row a program: the number of its current version. A batch reads it inside its transaction.
CREATE TABLE program (
  merchant_id      INT UNSIGNED NOT NULL,
  program_id       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  version          INT UNSIGNED NOT NULL,
  products_version INT UNSIGNED NOT NULL COMMENT 'in which its products last changed, 0: it never had any',
  product_count    INT UNSIGNED NOT NULL,
  auto_opt_in      TINYINT UNSIGNED NOT NULL COMMENT 'whether sales enrol their customers, as the settings say',
  created_at       DATETIME(6) NOT NULL,
  PRIMARY KEY (merchant_id, program_id),
  KEY program_auto_opt_in (merchant_id, auto_opt_in)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Settings and tiers, as JSON, in force from one version up to (not including) another; 4294967295: until now.
CREATE TABLE program_definition (
  merchant_id   INT UNSIGNED NOT NULL,
  program_id    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  from_version  INT UNSIGNED NOT NULL,
  until_version INT UNSIGNED NOT NULL,
  definition    MEDIUMTEXT NOT NULL,
  recorded_at   DATETIME(6) NOT NULL,
  PRIMARY KEY (merchant_id, program_id, from_version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
