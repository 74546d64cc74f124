-- The live lease of the name $1. Takes no lock.
SELECT
    epoch,
    holder,
    hint,
    (extract(epoch FROM expires_at - clock_timestamp()) * 1000000)::bigint AS left_micros
FROM {p}lease
WHERE name = $1 AND expires_at > clock_timestamp()
