-- What is known of the key $1, $2, but for its owner. Takes no lock.
SELECT
    state, fence, grants, reason,
    octet_length(result)::bigint AS result_len,
    (extract(epoch FROM first_at) * 1000000)::bigint AS first_us,
    (extract(epoch FROM started_at) * 1000000)::bigint AS started_us,
    (extract(epoch FROM finished_at) * 1000000)::bigint AS finished_us,
    (extract(epoch FROM lease_until - clock_timestamp()) * 1000000)::bigint AS left_us
FROM {p}ledger
WHERE scope = $1 AND key = $2
