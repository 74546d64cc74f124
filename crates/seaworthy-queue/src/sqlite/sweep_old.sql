-- Removes up to ?3 jobs that died before ?2, oldest first. Under the lock of a write.
DELETE FROM {p}dead_job
WHERE number IN (
    SELECT number FROM {p}dead_job WHERE queue = ?1 AND died_at < ?2 ORDER BY died_at LIMIT ?3
)
