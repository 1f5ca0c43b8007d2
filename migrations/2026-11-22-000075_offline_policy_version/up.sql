-- Since which version of the merchant's configuration a policy is in force; what was set before there were versions: 0.
ALTER TABLE offline_policy
  ADD COLUMN since_version INT UNSIGNED NOT NULL DEFAULT 0,
  ADD COLUMN updated_at    DATETIME(6) NULL COMMENT 'when it was set, none: before there were versions';
