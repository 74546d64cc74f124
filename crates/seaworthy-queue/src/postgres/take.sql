-- Hands out at most $4 jobs of the queue $1 to the owner $2, for $5 microseconds: if $3, those that it has already and
-- whose leases are live, at no cost; then those whose leases are over; then those that are due, oldest first. One of the
-- latter two that has spent $6 attempts goes to the dead ones instead, and takes a place as well: whoever asks for more
-- asks again. What is due when the statement begins is due when it is locked.
-- Waits for no lock: a row that somebody has locked is passed over, and of one that was changed meanwhile the newest
-- version is looked at again.
WITH ours AS MATERIALIZED (
    SELECT j.id
    FROM {p}job AS j
    WHERE $3 AND j.queue = $1 AND j.state = 1 AND j.owner = $2 AND j.lease_until > statement_timestamp()
    ORDER BY j.lease_until
    LIMIT $4
    FOR UPDATE SKIP LOCKED
), abandoned AS MATERIALIZED (
    SELECT j.id, j.spent, j.lease_until
    FROM {p}job AS j
    WHERE j.queue = $1 AND j.state = 1 AND j.lease_until <= statement_timestamp()
    ORDER BY j.lease_until
    LIMIT $4 - (SELECT count(*) FROM ours)
    FOR UPDATE SKIP LOCKED
), waiting AS MATERIALIZED (
    SELECT j.id, j.spent, j.due, j.place
    FROM {p}job AS j
    WHERE j.queue = $1 AND j.state = 0 AND j.due <= statement_timestamp()
    ORDER BY j.due, j.place
    LIMIT $4 - (SELECT count(*) FROM ours) - (SELECT count(*) FROM abandoned)
    FOR UPDATE SKIP LOCKED
), found AS MATERIALIZED (
    SELECT id, 0 AS cost, false AS is_over, 0 AS kind, NULL::timestamptz AS since, 0::bigint AS place FROM ours
    UNION ALL
    SELECT id, 1, spent >= $6, 1, lease_until, 0 FROM abandoned
    UNION ALL
    SELECT id, 1, spent >= $6, 2, due, place FROM waiting
), removed AS (
    DELETE FROM {p}job AS j
    WHERE j.queue = $1 AND j.id = ANY (ARRAY(SELECT id FROM found WHERE is_over))
    RETURNING j.*
), buried AS (
    INSERT INTO {p}dead_job AS d (
        queue, id, died_at, attempts, fence, reason, accepted_at, kind, version, headers, payload
    )
    SELECT
        queue, id, clock_timestamp(), spent, fence, CASE reason WHEN '' THEN 'was abandoned each time' ELSE reason END,
        accepted_at, kind, version, headers, payload
    FROM removed
    ORDER BY id
    ON CONFLICT (queue, id) DO UPDATE SET
        died_at = excluded.died_at, number = DEFAULT, attempts = excluded.attempts, fence = excluded.fence,
        reason = excluded.reason, accepted_at = excluded.accepted_at, kind = excluded.kind, version = excluded.version,
        headers = excluded.headers, payload = excluded.payload
), taken AS (
    UPDATE {p}job AS j
    SET
        state = 1,
        owner = $2,
        lease_until = clock_timestamp() + $5::bigint * interval '1 microsecond',
        deliveries = j.deliveries + cost.of,
        spent = j.spent + cost.of,
        fence = j.fence + cost.of,
        abandoned = j.abandoned + CASE j.state WHEN 1 THEN cost.of ELSE 0 END
    FROM (VALUES (0), (1)) AS cost (of)
    WHERE j.queue = $1 AND j.id = ANY (ARRAY(SELECT id FROM found WHERE NOT is_over))
        AND cost.of = CASE WHEN j.id = ANY (ARRAY(SELECT id FROM ours)) THEN 0 ELSE 1 END
    RETURNING j.*
)
SELECT
    (
        SELECT (extract(epoch FROM least(
            (
                SELECT j.due FROM {p}job AS j
                WHERE j.queue = $1 AND j.state = 0 AND j.due > statement_timestamp() ORDER BY j.due LIMIT 1
            ),
            (
                SELECT j.lease_until FROM {p}job AS j
                WHERE j.queue = $1 AND j.state = 1 AND j.lease_until > statement_timestamp()
                ORDER BY j.lease_until LIMIT 1
            ),
            statement_timestamp() + interval '1 year'
        ) - statement_timestamp()) * 1000000)::bigint
    ) AS next_us,
    found.id,
    found.is_over,
    taken.kind,
    taken.version,
    taken.headers::text AS headers,
    taken.payload,
    (extract(epoch FROM taken.accepted_at) * 1000000)::bigint AS accepted_us,
    taken.spent,
    taken.fence,
    taken.abandoned,
    (extract(epoch FROM clock_timestamp() - taken.deferred_since) * 1000000)::bigint AS deferred_us,
    (extract(epoch FROM clock_timestamp() - taken.due) * 1000000)::bigint AS waited_us
FROM (SELECT) AS one
LEFT JOIN found ON true
LEFT JOIN taken ON taken.id = found.id
ORDER BY found.kind, found.since, found.place
