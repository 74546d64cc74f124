-- The dead job $2 of the queue $1. Takes no lock.
SELECT
    id,
    kind,
    version,
    headers::text AS headers,
    payload,
    attempts,
    reason,
    (extract(epoch FROM accepted_at) * 1000000)::bigint AS accepted_us,
    (extract(epoch FROM died_at) * 1000000)::bigint AS died_us
FROM {p}dead_job
WHERE queue = $1 AND id = $2
