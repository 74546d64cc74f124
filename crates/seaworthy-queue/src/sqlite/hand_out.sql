-- Hands a job out to the owner ?4, from ?2 until ?3. One that ran was abandoned. Under the lock of a write, in which it
-- was found.
UPDATE {p}job
SET state = 1, spent = spent + 1, abandoned = abandoned + state, fence = fence + 1, owner = ?4, lease_from = ?2,
    lease_until = ?3
WHERE number = ?1
RETURNING id, kind, version, headers, payload, accepted_at, due, spent, abandoned, fence, deferred_since
