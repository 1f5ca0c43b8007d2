ALTER TABLE redemption DROP COLUMN given_back;
