-- What each new entry of a batch said when it was posted: the sealer need not read the entries, and what is changed or
-- deleted before they are sealed is missed as well.
ALTER TABLE posting_batch
  ADD COLUMN hashes MEDIUMBLOB NULL COMMENT '32 bytes for each new entry, in the order of touched; none: of an older server';
