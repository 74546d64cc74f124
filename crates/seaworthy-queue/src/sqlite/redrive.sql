-- Copies a dead job into the queue, due at ?3, with the headers ?4, no attempt made, and its fence, which goes on to
-- grow. Under the lock of a write.
INSERT INTO {p}job
    (queue, id, state, due, spent, abandoned, fence, owner, lease_from, lease_until, accepted_at, reason, kind, version,
    headers, payload)
SELECT queue, id, 0, ?3, 0, 0, fence, zeroblob(16), ?3, ?3, accepted_at, '', kind, version, ?4, payload
FROM {p}dead_job
WHERE queue = ?1 AND id = ?2
ON CONFLICT (queue, id) DO NOTHING
