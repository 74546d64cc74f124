-- Up to ?4 jobs that run under the owner ?5, now being ?2, and whose leases are not over. Under the lock of a write;
-- reads the leases that are not over.
SELECT number, id, 0 FROM {p}job
WHERE queue = ?1 AND state = 1 AND lease_until > ?2 AND lease_from - (lease_until - lease_from) <= ?2 AND owner = ?5
LIMIT ?4
