-- How many jobs the queue $1 has. Takes no lock.
SELECT
    count(*) FILTER (WHERE state = 0 AND due <= statement_timestamp()) AS ready,
    count(*) FILTER (WHERE state = 0 AND due > statement_timestamp()) AS later,
    count(*) FILTER (WHERE state = 1) AS running,
    (SELECT count(*) FROM {p}dead_job WHERE queue = $1) AS dead,
    coalesce(
        (extract(epoch FROM statement_timestamp() - min(due) FILTER (WHERE state = 0)) * 1000000)::bigint, 0
    ) AS oldest_us
FROM {p}job
WHERE queue = $1
