SELECT member.member_id FROM member FORCE INDEX (member_birthday)
STRAIGHT_JOIN account ON account.merchant_id = member.merchant_id AND account.member_id = member.member_id
WHERE member.merchant_id = ? AND member.program_id = ? AND member.birthday = ? AND member.member_id > ?
AND COALESCE(account.birthday_bonus_on, '1000-01-01') <= ?
ORDER BY member.member_id LIMIT ?
