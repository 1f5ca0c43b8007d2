-- The person behind an account. Personal data lives here and in `identifier`, never in the ledger.
CREATE TABLE member (
  merchant_id        INT UNSIGNED NOT NULL,
  member_id          BINARY(16) NOT NULL,
  program_id         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name               VARCHAR(200) NOT NULL,
  birth_date         DATE NULL,
  language           VARCHAR(35) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'a BCP 47 tag, or empty',
  marketing_consent  TINYINT UNSIGNED NULL COMMENT '1 granted, 0 refused, none: nobody asked',
  consent_decided_at DATETIME(6) NULL,
  version            INT UNSIGNED NOT NULL COMMENT 'counts the changes of the record: its etag',
  enrolled_at        DATETIME(6) NOT NULL,
  updated_at         DATETIME(6) NOT NULL,
  PRIMARY KEY (merchant_id, member_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What members are known by. The program comes last, so that a till that does not say it finds the member too.
CREATE TABLE identifier (
  merchant_id INT UNSIGNED NOT NULL,
  kind        TINYINT UNSIGNED NOT NULL COMMENT '1 customer id, 2 card, 3 phone, 4 email, 5 QR code',
  value       VARCHAR(128) NOT NULL,
  program_id  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  member_id   BINARY(16) NOT NULL,
  PRIMARY KEY (merchant_id, kind, value, program_id),
  KEY identifier_member (merchant_id, member_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
