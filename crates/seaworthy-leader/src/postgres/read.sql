-- The clock, and the leases of the names $1 that are live. Takes no lock.
SELECT
    (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS at_us,
    asked.number,
    l.epoch,
    l.holder,
    l.hint,
    (extract(epoch FROM least(l.expires_at, clock_timestamp() + interval '1 year') - clock_timestamp()) * 1000000)::bigint
        AS left_us
FROM (SELECT) AS one
LEFT JOIN unnest($1::text[]) WITH ORDINALITY AS asked (name, number) ON true
LEFT JOIN {p}lease AS l ON l.name = asked.name AND l.expires_at > clock_timestamp()
ORDER BY asked.number
