-- Takes the lock with the number $1 for this session, if nobody has it, and shows the lease of the name $2 if it is
-- live. Waits for nothing. The row is as before the lock was taken, and decides nothing.
SELECT
    pg_try_advisory_lock($1) AS is_ours,
    l.epoch,
    l.holder,
    l.hint,
    (extract(epoch FROM l.expires_at - clock_timestamp()) * 1000000)::bigint AS left_us
FROM (SELECT) AS one
LEFT JOIN {p}lease AS l ON l.name = $2 AND l.expires_at > clock_timestamp()
