-- Copies a job to the dead at ?2, for the reason ?3 or its last one, under its own id or ?4. Changes nothing if one is
-- dead under that id. Under the lock of a write, in which it was found.
INSERT INTO {p}dead_job
    (queue, id, died_at, reason, attempts, fence, accepted_at, kind, version, headers, payload)
SELECT queue, coalesce(?4, id), ?2, coalesce(?3, nullif(reason, ''), 'was abandoned each time'), spent, fence,
    accepted_at, kind, version, headers, payload
FROM {p}job
WHERE number = ?1
ON CONFLICT (queue, id) DO NOTHING
