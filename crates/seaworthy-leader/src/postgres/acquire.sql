-- Takes leases: names $1, terms $2, epochs seen $3, one of each for every bid; holder $4, hint $5, a ttl of $6
-- microseconds, to be begun by $7 microseconds since 1970. It waits for a lock for at most $8 milliseconds, and for one
-- that a row has only if $9 says that there is one bid alone.
-- A row that is over, or of this very term, is locked FOR UPDATE first and updated then: that lock alone waits for the
-- transactions that its last leader guards, which hold it FOR KEY SHARE; an update of columns that are no key would not.
-- Of several bids, a row that somebody has locked is passed over. Whether the lease is over is asked again, of the row
-- and the clock of that moment, when the lock was waited for. A row that is missing is
-- inserted, in the order of names, so that no two statements wait for each other.
-- What is live is told by the snapshot, without a lock. A bid that has no answer met a row that is locked, or that was
-- changed after the snapshot, or whose epoch is the last that there can be: alone, that is an error.
WITH begun AS MATERIALIZED (
    SELECT
        (extract(epoch FROM clock_timestamp()) * 1000000)::bigint > $7::bigint AS late,
        set_config('lock_timeout', $8, true)
), asked AS MATERIALIZED (
    SELECT asked.*, begun.late
    FROM begun
    CROSS JOIN unnest($1::text[], $2::bytea[], $3::bigint[]) WITH ORDINALITY AS asked (name, term, seen, number)
), waited_for AS MATERIALIZED (
    SELECT l.name, l.epoch, asked.term, asked.seen
    FROM asked
    JOIN {p}lease AS l ON l.name = asked.name
    WHERE $9 AND NOT asked.late AND (l.term = asked.term OR l.expires_at <= clock_timestamp())
    FOR UPDATE OF l
), not_waited_for AS MATERIALIZED (
    SELECT l.name, l.epoch, asked.term, asked.seen
    FROM asked
    JOIN {p}lease AS l ON l.name = asked.name
    WHERE NOT $9 AND NOT asked.late AND (l.term = asked.term OR l.expires_at <= clock_timestamp())
        AND greatest(l.epoch, asked.seen) < 9223372036854775807
    FOR UPDATE OF l SKIP LOCKED
), locked AS MATERIALIZED (
    SELECT * FROM waited_for UNION ALL SELECT * FROM not_waited_for
), updated AS (
    UPDATE {p}lease AS l
    SET
        epoch = greatest(locked.epoch, locked.seen) + 1,
        holder = $4,
        term = locked.term,
        expires_at = clock_timestamp() + $6::bigint * interval '1 microsecond',
        granted_at = clock_timestamp(),
        hint = $5
    FROM locked
    WHERE l.name = locked.name
    RETURNING l.name, l.epoch, locked.epoch AS before
), inserted AS (
    INSERT INTO {p}lease (name, epoch, holder, term, expires_at, granted_at, hint)
    SELECT
        asked.name, asked.seen + 1, $4, asked.term,
        clock_timestamp() + $6::bigint * interval '1 microsecond', clock_timestamp(), $5
    FROM asked
    WHERE NOT asked.late AND ($9 OR asked.seen < 9223372036854775807)
        AND NOT EXISTS (SELECT FROM {p}lease AS l WHERE l.name = asked.name)
    ORDER BY asked.name
    ON CONFLICT (name) DO NOTHING
    RETURNING name, epoch
)
SELECT
    (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS at_us,
    asked.number,
    asked.late,
    coalesce(updated.epoch, inserted.epoch) AS granted,
    coalesce(updated.before, 0) AS before,
    l.epoch,
    l.holder,
    l.hint,
    (extract(epoch FROM least(l.expires_at, clock_timestamp() + interval '1 year') - clock_timestamp()) * 1000000)::bigint
        AS left_us
FROM (SELECT) AS one
LEFT JOIN asked ON true
LEFT JOIN updated ON updated.name = asked.name
LEFT JOIN inserted ON inserted.name = asked.name
LEFT JOIN {p}lease AS l ON l.name = asked.name AND l.term <> asked.term AND l.expires_at > clock_timestamp()
ORDER BY asked.number
