SELECT sweep_at, member_id FROM account FORCE INDEX (account_sweep)
WHERE merchant_id = ? AND sweep_at >= ? AND sweep_at <= ? AND (sweep_at > ? OR member_id > ?)
ORDER BY sweep_at, member_id LIMIT ?
