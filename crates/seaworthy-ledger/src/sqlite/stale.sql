-- How many rows run past their lease, now being ?1. Takes no lock; reads the index of those that run.
SELECT count(*) FROM {p}ledger
WHERE state = 0 AND (lease_until <= ?1 OR lease_from - (lease_until - lease_from) > ?1)
