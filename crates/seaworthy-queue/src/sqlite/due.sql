-- The same for those that are due, oldest first.
SELECT number, id, spent >= ?3 FROM {p}job
WHERE queue = ?1 AND state = 0 AND due <= ?2 AND (?6 OR spent < ?3)
ORDER BY due, number
LIMIT ?4
