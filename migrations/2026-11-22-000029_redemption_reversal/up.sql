-- What came back of a redemption is kept for each of its tenders, since each is paid and booked on its own; the sums stay
-- beside it, for reports. The member is the one whose redemption it is now.
ALTER TABLE redemption
  ADD COLUMN given_back MEDIUMTEXT NULL COMMENT 'JSON, one for each tender; NULL: nothing came back';
