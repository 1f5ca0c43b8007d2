DROP TABLE reason;

ALTER TABLE merchant
  DROP COLUMN configuration_version;
