SELECT member_id, customer_group, territory FROM account FORCE INDEX (account_program)
WHERE merchant_id = ? AND program_id = ? AND state = ? AND member_id > ?
ORDER BY member_id LIMIT ?
