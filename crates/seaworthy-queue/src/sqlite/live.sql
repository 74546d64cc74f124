-- How many jobs of the queue ?1 are not dead, up to ?2. Under the lock of a write.
SELECT count(*) FROM (SELECT 1 FROM {p}job WHERE queue = ?1 LIMIT ?2)
