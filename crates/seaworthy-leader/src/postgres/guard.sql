-- In a caller's transaction, after guard_limits.sql: a row if the lease of the name $1 has the epoch $2 and is not over.
-- It is locked FOR KEY SHARE until the transaction ends: acquire.sql waits for that, renew.sql and release.sql do not.
-- `marked` says whether the mark $3 is still there, which it is not if there is no transaction.
WITH held AS MATERIALIZED (
    SELECT l.epoch
    FROM {p}lease AS l
    WHERE l.name = $1 AND l.epoch = $2 AND l.expires_at > clock_timestamp()
    FOR KEY SHARE OF l
)
SELECT
    EXISTS (SELECT FROM held) AS held,
    coalesce(current_setting('seaworthy.guard', true) = $3, false) AS marked
