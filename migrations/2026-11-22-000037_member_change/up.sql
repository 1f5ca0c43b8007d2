-- Who changed what kind of thing of a member, when and why: one row for each version of the record but the first, only
-- ever inserted. No personal data: it stays when the person is erased.
CREATE TABLE member_change (
  merchant_id     INT UNSIGNED NOT NULL,
  member_id       BINARY(16) NOT NULL,
  version         INT UNSIGNED NOT NULL COMMENT 'of the record, that the change made',
  kind            TINYINT UNSIGNED NOT NULL COMMENT '1 updated, 2 blocked, 3 unblocked',
  actor           VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  reason          VARCHAR(200) NOT NULL COMMENT 'as the actor wrote it, or empty',
  request_id      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  recorded_at     DATETIME(6) NOT NULL,
  PRIMARY KEY (merchant_id, member_id, version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
