-- Moves the end of a lease to ?6, now being ?5, if it is the holder's and neither over nor, after a step of the clock,
-- more than itself before its start. Under the lock of a write.
UPDATE {p}job
SET lease_from = ?5, lease_until = ?6
WHERE queue = ?1 AND id = ?2 AND fence = ?3 AND owner = ?4 AND state = 1
    AND lease_until > ?5 AND lease_from - (lease_until - lease_from) <= ?5
