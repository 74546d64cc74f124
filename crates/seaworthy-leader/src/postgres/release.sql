-- Ends the lease of the name $1 now, if it is of the term $2, and empties the holder and the hint. The epoch stays.
-- Under the row's lock, for which transactions that the leader guards are not in the way.
UPDATE {p}lease
SET expires_at = least(expires_at, clock_timestamp()), holder = '', hint = NULL
WHERE name = $1 AND term = $2
