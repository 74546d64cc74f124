-- The holder's job is due again at ?5, and has failed for the reason ?6. Under the lock of a write.
UPDATE {p}job
SET state = 0, due = ?5, reason = ?6, deferred_since = NULL
WHERE queue = ?1 AND id = ?2 AND fence = ?3 AND owner = ?4 AND state = 1
