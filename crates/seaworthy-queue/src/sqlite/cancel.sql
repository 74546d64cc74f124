-- Removes a job that does not run. Under the lock of a write.
DELETE FROM {p}job WHERE queue = ?1 AND id = ?2 AND state = 0
