-- Up to ?4 jobs whose leases are over at ?2, and whether they have been delivered ?3 times; those are left out
-- unless ?6. Under the lock of a write.
SELECT number, id, spent >= ?3 FROM {p}job
WHERE queue = ?1 AND state = 1 AND lease_until <= ?2 AND (?6 OR spent < ?3)
ORDER BY lease_until, number
LIMIT ?4
