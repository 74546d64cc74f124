-- Gives the lease of the name ?1 if its epoch is ?2, and changes nothing. In a caller's transaction, which has the lock
-- of a write from here on, however it was begun.
UPDATE {p}lease SET epoch = epoch WHERE name = ?1 AND epoch = ?2 RETURNING lease_from, expires_at
