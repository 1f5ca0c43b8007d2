-- Which server does a job that one at a time may do. It holds no time, since clocks of servers differ: the holder counts
-- beats, and who sees none for a while takes over with the next token. What the job writes, it writes in transactions
-- that have locked the row and found their token in it.
CREATE TABLE job_lease (
  job    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  token  BIGINT UNSIGNED NOT NULL COMMENT 'counts the holders',
  beats  BIGINT UNSIGNED NOT NULL COMMENT 'signs of life of this holder',
  holder VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'empty: nobody, it was given back',
  PRIMARY KEY (job)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
