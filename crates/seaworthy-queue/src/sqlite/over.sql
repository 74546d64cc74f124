-- Up to ?4 jobs whose leases are over at ?2, and whether they have been delivered ?3 times. Under the lock of a write.
SELECT number, id, spent >= ?3 FROM {p}job
WHERE queue = ?1 AND state = 1 AND lease_until <= ?2
ORDER BY lease_until, number
LIMIT ?4
