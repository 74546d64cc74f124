-- Moves the dead job $2 of the queue $1 back among the live ones, due now, with no attempt made and its fence as it
-- was; its header `redriven`
-- counts that, and is the last. Under the row's lock. Wakes whoever listens to $3, with the commit.
WITH gone AS (
    DELETE FROM {p}dead_job WHERE queue = $1 AND id = $2 RETURNING *
), counted AS MATERIALIZED (
    SELECT
        (
            SELECT coalesce(jsonb_agg(header ORDER BY number), '[]')
            FROM jsonb_array_elements(gone.headers) WITH ORDINALITY AS each (header, number)
            WHERE header ->> 0 <> 'redriven'
        ) AS others,
        (
            SELECT max(CASE WHEN header ->> 1 ~ '^[0-9]{1,9}$' THEN (header ->> 1)::bigint ELSE 0 END)
            FROM jsonb_array_elements(gone.headers) AS header
            WHERE header ->> 0 = 'redriven'
        ) AS times
    FROM gone
), inserted AS (
    INSERT INTO {p}job (
        queue, id, state, due, place, deliveries, spent, abandoned, fence, accepted_at, reason, kind, version, headers,
        payload
    )
    SELECT
        queue, id, 0, clock_timestamp(), 0, 0, 0, 0, fence, accepted_at, '', kind, version,
        others || jsonb_build_array(jsonb_build_array('redriven', (coalesce(times, 0) + 1)::text)), payload
    FROM gone
    CROSS JOIN counted
    ON CONFLICT (queue, id) DO NOTHING
), told AS MATERIALIZED (
    SELECT pg_notify('seaworthy', $3) FROM gone
)
SELECT id, (SELECT count(*) FROM told) AS told FROM gone
