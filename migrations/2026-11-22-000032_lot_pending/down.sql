ALTER TABLE lot
  DROP COLUMN pending_until;
