-- Moves the ends of leases to $4 microseconds from now, where they are not over: names $1, terms $2, epochs $3, one of
-- each for every tenure; to be begun by $5 microseconds since 1970. Under a lock that the transactions which the leader
-- guards do not conflict with. A row that somebody else has locked is passed over and does not hold up the others: it is
-- told as locked, because by the snapshot it is the tenant's.
WITH begun AS MATERIALIZED (
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint > $5::bigint AS late
), asked AS MATERIALIZED (
    SELECT asked.*, begun.late
    FROM begun
    CROSS JOIN unnest($1::text[], $2::bytea[], $3::bigint[]) WITH ORDINALITY AS asked (name, term, epoch, number)
), held AS MATERIALIZED (
    SELECT l.name
    FROM asked
    JOIN {p}lease AS l ON l.name = asked.name
    WHERE NOT asked.late AND l.term = asked.term AND l.epoch = asked.epoch AND l.expires_at > clock_timestamp()
    FOR NO KEY UPDATE OF l SKIP LOCKED
), renewed AS (
    UPDATE {p}lease AS l
    SET expires_at = clock_timestamp() + $4::bigint * interval '1 microsecond'
    FROM held
    WHERE l.name = held.name
    RETURNING l.name
)
SELECT
    (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS at_us,
    asked.number,
    asked.late,
    renewed.name IS NOT NULL AS renewed,
    EXISTS (
        SELECT FROM {p}lease AS l
        WHERE l.name = asked.name AND l.term = asked.term AND l.epoch = asked.epoch
            AND l.expires_at > clock_timestamp()
    ) AS locked
FROM (SELECT) AS one
LEFT JOIN asked ON true
LEFT JOIN renewed ON renewed.name = asked.name
ORDER BY asked.number
