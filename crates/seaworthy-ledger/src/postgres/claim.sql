-- Claims the key $1, $2 for the owner $3 with a lease of $4 microseconds, the fingerprint $5 and the rank $6.
-- Whoever cannot have it is told by the snapshot alone, without a lock or a write. Whoever might inserts or updates,
-- under the row's lock, and is granted it only if the row is still the one that the snapshot had. Is it another by
-- now, or was it inserted after the snapshot, then neither half answers, and the statement is sent again.
-- Owners are 12 random bytes and the number of the asking: the row of an earlier asking is granted again, of a later one not.
-- Times are of clock_timestamp(): a claimer that waited for the lock must not decide by when it began to wait.
WITH seen AS MATERIALIZED (
    SELECT *,
        state = 2 OR state = 0 AND NOT mismatch AND (
            owner < $3 AND substr(owner, 1, 12) = substr($3::bytea, 1, 12) OR lease_until <= clock_timestamp() OR coalesce($6 > rank, $6 IS NOT NULL)
        ) AS claimable
    FROM (
        SELECT fence, state, owner, lease_until, finished_at, rank, result, content_type, reason,
            coalesce(fingerprint <> $5, false) AS mismatch
        FROM {p}ledger
        WHERE scope = $1 AND key = $2
    ) AS found
), granted AS (
    INSERT INTO {p}ledger AS l
        (scope, key, fence, state, owner, lease_until, first_at, started_at, grants, fingerprint, rank)
    SELECT $1, $2, 1, 0, $3, now + $4::bigint * interval '1 microsecond', now, now, 1, $5, $6::bigint
    FROM clock_timestamp() AS now
    WHERE NOT EXISTS (SELECT FROM seen WHERE NOT claimable)
    ON CONFLICT (scope, key) DO UPDATE SET
        fence = l.fence + 1,
        state = 0,
        owner = $3,
        lease_until = clock_timestamp() + $4::bigint * interval '1 microsecond',
        started_at = clock_timestamp(),
        finished_at = NULL,
        -- A later asking of the same, because the answer was lost: that is no other beginning of the work.
        grants = CASE
            WHEN l.state = 0 AND l.owner < $3 AND substr(l.owner, 1, 12) = substr($3::bytea, 1, 12) THEN l.grants
            ELSE l.grants + 1
        END,
        fingerprint = coalesce($5, l.fingerprint),
        rank = $6,
        reason = NULL,
        expires_at = NULL
    WHERE l.fence = (SELECT fence FROM seen) AND l.state = (SELECT state FROM seen) AND (
        l.state = 2 OR l.owner < $3 AND substr(l.owner, 1, 12) = substr($3::bytea, 1, 12) OR l.lease_until <= clock_timestamp() OR coalesce($6 > l.rank, $6 IS NOT NULL)
    )
    RETURNING l.fence, l.grants
), forgotten AS (
    -- The steps of other work than is begun now.
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
