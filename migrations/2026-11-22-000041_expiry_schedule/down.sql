DROP TABLE expiry_schedule;

ALTER TABLE account
  DROP KEY account_sweep,
  DROP COLUMN sweep_at;
