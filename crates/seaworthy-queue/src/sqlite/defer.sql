-- The holder's job is due again at ?5, was put off at ?6, and has its attempt back. Under the lock of a write.
UPDATE {p}job
SET state = 0, due = ?5, deferred_since = coalesce(deferred_since, ?6), spent = max(spent - 1, 0)
WHERE queue = ?1 AND id = ?2 AND fence = ?3 AND owner = ?4 AND state = 1
