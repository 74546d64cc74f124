-- The job $2 of the queue $1 goes to the dead ones, if its owner is $3 and its fence $4, for the reason $5. Under the
-- row's lock.
WITH gone AS (
    DELETE FROM {p}job WHERE queue = $1 AND id = $2 AND state = 1 AND owner = $3 AND fence = $4 RETURNING *
), buried AS (
    INSERT INTO {p}dead_job AS d (
        queue, id, died_at, attempts, fence, reason, accepted_at, kind, version, headers, payload
    )
    SELECT queue, id, clock_timestamp(), spent, fence, $5, accepted_at, kind, version, headers, payload FROM gone
    ON CONFLICT (queue, id) DO UPDATE SET
        died_at = excluded.died_at, number = DEFAULT, attempts = excluded.attempts, fence = excluded.fence,
        reason = excluded.reason, accepted_at = excluded.accepted_at, kind = excluded.kind, version = excluded.version,
        headers = excluded.headers, payload = excluded.payload
)
SELECT FROM gone
