-- Up to ?3 dead jobs in the order in which they died, after the one with the id ?2 if that is there. Takes no lock.
SELECT id, kind, version, headers, payload, attempts, reason, accepted_at, died_at FROM {p}dead_job
WHERE queue = ?1
    AND number > coalesce((SELECT number FROM {p}dead_job WHERE queue = ?1 AND id = ?2), 0)
ORDER BY number
LIMIT ?3
