-- How many rows run past their lease. Takes no lock.
SELECT count(*) AS stale FROM {p}ledger WHERE state = 0 AND lease_until <= (SELECT clock_timestamp())
