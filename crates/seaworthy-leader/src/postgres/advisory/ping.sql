-- Moves the end of the lease of the name $1 to $4 microseconds from now if epoch $2 and term $3 are the row's, and says
-- whether they are. A row that somebody has locked is passed over: the session answers, which is what counts.
WITH held AS MATERIALIZED (
    SELECT l.name FROM {p}lease AS l
    WHERE l.name = $1 AND l.epoch = $2 AND l.term = $3
    FOR NO KEY UPDATE OF l SKIP LOCKED
), moved AS (
    UPDATE {p}lease AS l SET expires_at = clock_timestamp() + $4::bigint * interval '1 microsecond'
    FROM held WHERE l.name = held.name
)
SELECT EXISTS (SELECT FROM {p}lease AS l WHERE l.name = $1 AND l.epoch = $2 AND l.term = $3) AS is_ours
