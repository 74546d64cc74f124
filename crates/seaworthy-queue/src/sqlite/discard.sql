-- Removes a dead job. Under the lock of a write.
DELETE FROM {p}dead_job WHERE queue = ?1 AND id = ?2
