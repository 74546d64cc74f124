-- The holder's job is due as it was, and at ?5, which is now, at the latest; it has its attempt back. Under the lock of a write.
UPDATE {p}job
SET state = 0, due = min(due, ?5), spent = max(spent - 1, 0)
WHERE queue = ?1 AND id = ?2 AND fence = ?3 AND owner = ?4 AND state = 1
