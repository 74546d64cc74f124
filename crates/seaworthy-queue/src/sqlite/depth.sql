-- How many jobs the queue ?1 has, now being ?2, and since when the oldest could have been delivered. Reads indexes
-- alone; takes no lock.
SELECT
    (SELECT count(*) FROM {p}job WHERE queue = ?1 AND state = 0 AND due <= ?2),
    (SELECT count(*) FROM {p}job WHERE queue = ?1 AND state = 0 AND due > ?2),
    (SELECT count(*) FROM {p}job WHERE queue = ?1 AND state = 1),
    (SELECT count(*) FROM {p}dead_job WHERE queue = ?1),
    (SELECT min(due) FROM {p}job WHERE queue = ?1 AND state = 0)
