DROP TABLE member_request;
ALTER TABLE account DROP COLUMN erased_at;
