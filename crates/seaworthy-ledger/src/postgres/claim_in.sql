-- In a caller's transaction: records the key $1, $2 as done by the owner $3, to be kept for $4 microseconds, with the
-- fingerprint $5. A key that another transaction is recording is waited for; is it there then, neither half answers,
-- and the statement is sent again. Otherwise as claim.sql. The row is locked until the transaction ends.
WITH seen AS MATERIALIZED (
    SELECT *, state = 2 OR state = 0 AND NOT mismatch AND lease_until <= clock_timestamp() AS claimable
    FROM (
        SELECT fence, state, lease_until, finished_at, result, content_type, reason,
            coalesce(fingerprint <> $5, false) AS mismatch
        FROM {p}ledger
        WHERE scope = $1 AND key = $2
    ) AS found
), granted AS (
    INSERT INTO {p}ledger AS l
        (scope, key, fence, state, owner, lease_until, first_at, started_at, finished_at, grants, fingerprint, expires_at)
    SELECT $1, $2, 1, 1, $3, now, now, now, now, 1, $5, now + $4::bigint * interval '1 microsecond'
    FROM clock_timestamp() AS now
    WHERE NOT EXISTS (SELECT FROM seen WHERE NOT claimable)
    ON CONFLICT (scope, key) DO UPDATE SET
        fence = l.fence + 1,
        state = 1,
        owner = $3,
        lease_until = clock_timestamp(),
        started_at = clock_timestamp(),
        finished_at = clock_timestamp(),
        grants = l.grants + 1,
        fingerprint = coalesce($5, l.fingerprint),
        rank = NULL,
        reason = NULL,
        expires_at = clock_timestamp() + $4::bigint * interval '1 microsecond'
    WHERE l.fence = (SELECT fence FROM seen) AND l.state = (SELECT state FROM seen)
        AND (l.state = 2 OR l.lease_until <= clock_timestamp())
    RETURNING l.fence, l.grants
), forgotten AS (
    DELETE FROM {p}ledger_step AS step
    USING granted, seen
    WHERE seen.state = 2 AND seen.mismatch AND step.scope = $1 AND step.key = $2
)
SELECT
    granted.fence AS granted_fence,
    granted.grants,
    seen.claimable,
    seen.state,
    seen.mismatch,
    seen.fence,
    (extract(epoch FROM seen.lease_until - clock_timestamp()) * 1000000)::bigint AS left_us,
    (extract(epoch FROM seen.finished_at) * 1000000)::bigint AS finished_us,
    CASE WHEN NOT seen.mismatch THEN seen.result END AS result,
    seen.content_type,
    seen.reason
FROM (SELECT) AS one
LEFT JOIN granted ON true
LEFT JOIN seen ON true
