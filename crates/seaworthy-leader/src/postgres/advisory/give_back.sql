-- Ends the lease of the name $1 if the term $2 is the row's. The epoch stays. The session's end gives the lock back.
UPDATE {p}lease SET expires_at = clock_timestamp(), holder = '', hint = NULL WHERE name = $1 AND term = $2
