-- Until when a lot could not be spent, for those who ask about an instant that is over: rows of `pending` are gone by then.
ALTER TABLE lot
  ADD COLUMN pending_until DATETIME(6) NULL COMMENT 'none: it could be spent when it came';

UPDATE lot
  JOIN pending ON pending.merchant_id = lot.merchant_id AND pending.member_id = lot.member_id
    AND pending.lot_expires_at = lot.expires_at AND pending.lot_sequence = lot.sequence
  SET lot.pending_until = pending.pending_until;
