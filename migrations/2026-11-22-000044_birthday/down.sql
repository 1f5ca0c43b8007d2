ALTER TABLE program DROP KEY program_birthdays, DROP COLUMN birthdays_due_at;
ALTER TABLE member DROP KEY member_birthday, DROP COLUMN birthday;
ALTER TABLE account DROP COLUMN birthday_bonus_on;
