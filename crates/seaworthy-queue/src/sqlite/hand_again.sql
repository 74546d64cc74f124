-- Hands a job out once more to the owner that has it, because the answer was lost: its lease begins anew at ?2, and is
-- over at ?3. Under the lock of a write, in which it was found.
UPDATE {p}job
SET lease_from = ?2, lease_until = ?3
WHERE number = ?1
RETURNING id, kind, version, headers, payload, accepted_at, due, spent, abandoned, fence, deferred_since
