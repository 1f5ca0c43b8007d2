-- Who changed what of a program's configuration, and when: one row for each of its versions, only ever inserted. A key
-- for each question that is asked, all newest first.
CREATE TABLE configuration_change (
  merchant_id   INT UNSIGNED NOT NULL,
  program_id    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  version       INT UNSIGNED NOT NULL COMMENT 'that the change made',
  resource_kind TINYINT UNSIGNED NOT NULL COMMENT '1 program, 2 rule, 3 products',
  resource_id   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'of products none',
  actor         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  request_id    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  recorded_at   DATETIME(6) NOT NULL COMMENT 'never goes back within a program',
  old_document  MEDIUMTEXT NULL COMMENT 'none: it was created',
  new_document  MEDIUMTEXT NOT NULL COMMENT 'of products how many changed',
  PRIMARY KEY (merchant_id, program_id, version),
  KEY configuration_change_time (merchant_id, recorded_at, version, program_id, resource_kind),
  KEY configuration_change_program (merchant_id, program_id, recorded_at, version, resource_kind),
  KEY configuration_change_resource (merchant_id, program_id, resource_kind, resource_id, recorded_at, version),
  KEY configuration_change_actor (merchant_id, actor, recorded_at, version, program_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
