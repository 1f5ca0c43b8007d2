ALTER TABLE lot DROP COLUMN moved_member_id;
