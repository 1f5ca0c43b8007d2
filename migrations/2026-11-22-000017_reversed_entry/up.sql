-- Spend that a return takes off counts on the day of the sale.
ALTER TABLE entry
  ADD COLUMN spend_at DATETIME(6) NULL COMMENT 'when the sale was made whose spend this takes off, none: when this occurred';

-- What of a lot was written off is not taken out of other lots when its sale comes back.
ALTER TABLE lot
  ADD COLUMN lapsed DECIMAL(19,4) NOT NULL DEFAULT 0 COMMENT 'written off when it lapsed';
