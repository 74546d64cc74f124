-- Removes ids of the queue ?1 that are remembered no longer at ?2, some at a time. It is the first statement of an
-- enqueuing, and takes the lock of a write in a caller's transaction.
DELETE FROM {p}done_job
WHERE rowid IN (SELECT rowid FROM {p}done_job WHERE queue = ?1 AND until <= ?2 ORDER BY until LIMIT 1000)
