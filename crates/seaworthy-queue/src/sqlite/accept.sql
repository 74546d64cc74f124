-- Accepts a job of the queue ?1 under the id ?2 at ?3, due at ?4, unless one is live, dead or remembered under it. Under
-- the lock of a write.
INSERT INTO {p}job
    (queue, id, state, due, spent, abandoned, fence, owner, lease_from, lease_until, accepted_at, reason, kind, version,
    headers, payload)
SELECT ?1, ?2, 0, ?4, 0, 0, 0, zeroblob(16), ?3, ?3, ?3, '', ?5, ?6, ?7, ?8
WHERE NOT EXISTS (SELECT 1 FROM {p}dead_job WHERE queue = ?1 AND id = ?2)
    AND NOT EXISTS (SELECT 1 FROM {p}done_job WHERE queue = ?1 AND id = ?2 AND until > ?3)
ON CONFLICT (queue, id) DO NOTHING
