-- The job $2 of the queue $1 is done, if its owner is $3 and its fence $4; its id is remembered for $5 microseconds,
-- unless that is NULL. Under the row's lock. Forgets some that were remembered for long enough; one that is locked is
-- passed over.
WITH gone AS (
    DELETE FROM {p}job WHERE queue = $1 AND id = $2 AND state = 1 AND owner = $3 AND fence = $4 RETURNING id
), old AS MATERIALIZED (
    SELECT d.id
    FROM {p}done_job AS d
    WHERE $5::bigint IS NOT NULL AND d.queue = $1 AND d.id <> $2 AND d.until <= statement_timestamp()
    ORDER BY d.until
    LIMIT 8
    FOR UPDATE SKIP LOCKED
), forgotten AS (
    DELETE FROM {p}done_job AS d WHERE d.queue = $1 AND d.id = ANY (ARRAY(SELECT id FROM old))
), remembered AS (
    INSERT INTO {p}done_job (queue, id, until)
    SELECT $1, id, clock_timestamp() + $5::bigint * interval '1 microsecond' FROM gone WHERE $5::bigint IS NOT NULL
    ON CONFLICT (queue, id) DO UPDATE SET until = excluded.until
)
SELECT FROM gone
