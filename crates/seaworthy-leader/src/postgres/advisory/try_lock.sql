-- Takes the lock with the number $1 for this session, if nobody has it, and shows the row of the name $2 if it is live.
-- Waits for nothing; the row is of before the lock, and decides nothing.
SELECT
    pg_try_advisory_lock($1) AS is_ours,
    lease.epoch,
    lease.holder,
    lease.hint,
    (extract(epoch FROM lease.expires_at - clock_timestamp()) * 1000000)::bigint AS left_micros
FROM (SELECT 1) AS one
LEFT JOIN {p}lease AS lease ON lease.name = $2 AND lease.expires_at > clock_timestamp()
