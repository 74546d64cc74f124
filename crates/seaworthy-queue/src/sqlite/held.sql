-- The number of the holder's job. Under the lock of a write.
SELECT number FROM {p}job WHERE queue = ?1 AND id = ?2 AND fence = ?3 AND owner = ?4 AND state = 1
