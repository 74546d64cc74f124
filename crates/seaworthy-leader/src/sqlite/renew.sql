-- Moves the end of a lease to ?5, now being ?4, if term and epoch are the row's and it is neither over nor, after a step
-- of the clock, more than itself before its start. Under the lock of a write.
UPDATE {p}lease
SET lease_from = ?4, expires_at = ?5
WHERE name = ?1 AND epoch = ?2 AND term = ?3
    AND expires_at > ?4 AND lease_from - (expires_at - lease_from) <= ?4
