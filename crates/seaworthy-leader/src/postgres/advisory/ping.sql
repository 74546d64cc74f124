-- Moves the end of the lease of the name $1 to $4 microseconds from now if epoch $2 and term $3 are the row's, and says
-- whether they are. A row that somebody has locked is left alone: the session answers, which is what counts.
WITH mine AS (
    SELECT name FROM {p}lease WHERE name = $1 AND epoch = $2 AND term = $3 FOR NO KEY UPDATE SKIP LOCKED
), moved AS (
    UPDATE {p}lease AS lease SET expires_at = clock_timestamp() + $4 * interval '1 microsecond'
    FROM mine WHERE lease.name = mine.name
)
SELECT EXISTS (SELECT FROM {p}lease WHERE name = $1 AND epoch = $2 AND term = $3) AS is_ours
