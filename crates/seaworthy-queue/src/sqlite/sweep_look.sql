-- How many jobs are dead, and when the first of them died. Reads indexes alone; takes no lock.
SELECT
    (SELECT count(*) FROM {p}dead_job WHERE queue = ?1),
    (SELECT min(died_at) FROM {p}dead_job WHERE queue = ?1)
