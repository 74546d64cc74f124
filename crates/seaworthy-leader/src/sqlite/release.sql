-- Ends the lease of the term ?2 at ?3, whatever its epoch, and so that no step of the clock brings it back. Under the
-- lock of a write.
UPDATE {p}lease
SET lease_from = ?3, expires_at = ?3, holder = '', hint = NULL
WHERE name = ?1 AND term = ?2
