-- Removes the holder's job. Under the lock of a write.
DELETE FROM {p}job WHERE queue = ?1 AND id = ?2 AND fence = ?3 AND owner = ?4 AND state = 1
