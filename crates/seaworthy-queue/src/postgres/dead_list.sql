-- At most $3 dead jobs of the queue $1, in the order in which they died: those after the job $2, or from the first if
-- that is NULL or not there. Takes no lock.
WITH place AS MATERIALIZED (
    SELECT coalesce(max(died_at), '-infinity') AS died_at, coalesce(max(number), 0) AS number
    FROM {p}dead_job
    WHERE queue = $1 AND id = $2
)
SELECT
    d.id,
    d.kind,
    d.version,
    d.headers::text AS headers,
    d.payload,
    d.attempts,
    d.reason,
    (extract(epoch FROM d.accepted_at) * 1000000)::bigint AS accepted_us,
    (extract(epoch FROM d.died_at) * 1000000)::bigint AS died_us
FROM {p}dead_job AS d
WHERE d.queue = $1 AND (d.died_at, d.number) > ((SELECT died_at FROM place), (SELECT number FROM place))
ORDER BY d.died_at, d.number
LIMIT $3
