-- Moves the ends of leases: keys $1, $2, fences $3, owners $4, microseconds $5, one of each for every lease. A row that
-- is locked, by a transaction that completes it for instance, is passed over and does not hold up the others: it is
-- told as locked, because by the snapshot it is the holder's. Locks those that it renews, for a moment.
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[], $5::bigint[])
        WITH ORDINALITY AS asked (scope, key, fence, owner, lease_us, number)
), held AS MATERIALIZED (
    SELECT l.scope, l.key, asked.lease_us, asked.number
    FROM asked
    JOIN {p}ledger AS l ON l.scope = asked.scope AND l.key = asked.key
    WHERE l.fence = asked.fence AND l.owner = asked.owner AND l.state = 0 AND l.lease_until > clock_timestamp()
    FOR NO KEY UPDATE OF l SKIP LOCKED
), renewed AS (
    UPDATE {p}ledger AS l
    SET lease_until = clock_timestamp() + held.lease_us * interval '1 microsecond'
    FROM held
    WHERE l.scope = held.scope AND l.key = held.key
    RETURNING l.scope, l.key
)
SELECT
    asked.number,
    held.number IS NOT NULL AND EXISTS (
        SELECT FROM renewed WHERE renewed.scope = asked.scope AND renewed.key = asked.key
    ) AS renewed,
    EXISTS (
        SELECT FROM {p}ledger AS l
        WHERE l.scope = asked.scope AND l.key = asked.key AND l.fence = asked.fence AND l.owner = asked.owner
            AND l.state = 0 AND l.lease_until > clock_timestamp()
    ) AS locked
FROM asked
LEFT JOIN held ON held.number = asked.number
ORDER BY asked.number
