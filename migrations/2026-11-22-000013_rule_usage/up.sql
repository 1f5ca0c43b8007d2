-- What rules that are limited per day or per member gave to a member, on each day and, under 9999-12-31, in all.
CREATE TABLE rule_usage (
  merchant_id INT UNSIGNED NOT NULL,
  member_id   BINARY(16) NOT NULL,
  day         DATE NOT NULL COMMENT 'of the sale, in the zone of the program',
  rule_id     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  points      DECIMAL(19,4) NOT NULL,
  PRIMARY KEY (merchant_id, member_id, day, rule_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
