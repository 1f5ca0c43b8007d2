-- All entries of a merchant in an order that others can follow: a fixed share of the members is a shard, and positions in
-- it rise without gaps, a member's entries by their sequence. Each row seals its entry: the hash is of what the entry
-- says and of the hash before. Rows are only ever inserted, a while after the entries, by one server at a time.
CREATE TABLE feed (
  merchant_id INT UNSIGNED NOT NULL,
  shard       TINYINT UNSIGNED NOT NULL COMMENT '0 to 15, by the last byte of the member id',
  position    BIGINT UNSIGNED NOT NULL COMMENT 'from 1',
  member_id   BINARY(16) NOT NULL,
  sequence    BIGINT UNSIGNED NOT NULL,
  source      TINYINT UNSIGNED NOT NULL COMMENT '1 announced by the batch that posted it, 2 found without one',
  form        TINYINT UNSIGNED NOT NULL COMMENT 'in which the entry was hashed',
  hash        BINARY(32) NOT NULL,
  PRIMARY KEY (merchant_id, shard, position),
  UNIQUE KEY feed_entry (merchant_id, member_id, sequence)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The newest position of each shard and its hash, so that rows cut off the end of the feed are missed.
CREATE TABLE feed_head (
  merchant_id INT UNSIGNED NOT NULL,
  shard       TINYINT UNSIGNED NOT NULL,
  position    BIGINT UNSIGNED NOT NULL,
  hash        BINARY(32) NOT NULL,
  PRIMARY KEY (merchant_id, shard)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
