-- Removes dead jobs of the queue $1, the oldest first, at most 10,000 of each: those that died longer than $2 microseconds
-- ago, unless that is NULL, and those beyond the latest $3, unless that is NULL. A row that somebody has locked is passed
-- over.
WITH old AS MATERIALIZED (
    SELECT d.id
    FROM {p}dead_job AS d
    WHERE $2::bigint IS NOT NULL AND d.queue = $1
        AND d.died_at < statement_timestamp() - $2::bigint * interval '1 microsecond'
    ORDER BY d.died_at, d.number
    LIMIT 10000
    FOR UPDATE SKIP LOCKED
), beyond AS MATERIALIZED (
    SELECT d.id
    FROM {p}dead_job AS d
    WHERE $3::bigint IS NOT NULL AND d.queue = $1
    ORDER BY d.died_at, d.number
    LIMIT least(10000, greatest(0, (SELECT count(*) FROM {p}dead_job WHERE queue = $1) - $3::bigint))
    FOR UPDATE SKIP LOCKED
), swept AS (
    DELETE FROM {p}dead_job AS d
    WHERE d.queue = $1 AND (
        d.id = ANY (ARRAY(SELECT id FROM old UNION SELECT id FROM beyond))
    )
    RETURNING d.id
)
SELECT count(*) AS swept FROM swept
