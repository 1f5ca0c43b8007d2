ALTER TABLE offline_policy DROP COLUMN since_version, DROP COLUMN updated_at;
