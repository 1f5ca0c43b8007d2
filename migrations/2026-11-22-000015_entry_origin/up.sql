-- Where entries come from and who made them; also what the history is filtered by.
ALTER TABLE entry
  ADD COLUMN reference   VARCHAR(64) NULL COMMENT 'id of what it belongs to beside the sale: a return, a redemption, a hold',
  ADD COLUMN at_store_id VARCHAR(64) NULL COMMENT 'where it happened, where that is not the store of the sale',
  ADD COLUMN terminal_id VARCHAR(64) NULL,
  ADD COLUMN cashier_id  VARCHAR(64) NULL,
  ADD COLUMN actor       VARCHAR(64) NULL COMMENT 'who made it, of what is not a sale',
  ADD COLUMN reason_id   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN note        VARCHAR(200) NULL;
