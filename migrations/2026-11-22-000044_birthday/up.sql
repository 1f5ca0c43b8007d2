-- The birthday of the last bonus for one: none comes so soon after it that it could be another's.
ALTER TABLE account ADD COLUMN birthday_bonus_on DATE NULL;

-- By which day of the year members are found, whatever the year: 1231 is 31 December.
ALTER TABLE member
  ADD COLUMN birthday SMALLINT UNSIGNED AS (MONTH(birth_date) * 100 + DAYOFMONTH(birth_date)) STORED,
  ADD KEY member_birthday (merchant_id, program_id, birthday, member_id);

-- When it has to be looked for birthdays.
ALTER TABLE program
  ADD COLUMN birthdays_due_at DATETIME(6) NULL COMMENT 'none: the program gives no bonus for birthdays',
  ADD KEY program_birthdays (birthdays_due_at);
