-- Removes up to ?3 of the dead jobs that are too many beside ?2, those that died first. Under the lock of a write.
DELETE FROM {p}dead_job
WHERE number IN (
    SELECT number FROM {p}dead_job WHERE queue = ?1 ORDER BY number
    LIMIT min(?3, max(0, (SELECT count(*) FROM {p}dead_job WHERE queue = ?1) - ?2))
)
