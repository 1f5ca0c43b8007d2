-- Whose lot it is that the points of a lot went to, where the member was merged into another.
ALTER TABLE lot ADD COLUMN moved_member_id BINARY(16) NULL;
