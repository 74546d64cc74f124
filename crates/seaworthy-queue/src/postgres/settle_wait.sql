-- The job $2 of the queue $1 waits again, if its owner is $3 and its fence $4: it is due $5 microseconds from now. A
-- reason $6 is that of a failure; without one the attempt is given back, and counts as put off if $7. One that is neither
-- is released, and keeps its place. Under the row's lock.
UPDATE {p}job
SET
    state = 0,
    owner = NULL,
    lease_until = NULL,
    due = CASE
        WHEN $6::text IS NULL AND NOT $7 THEN least(due, clock_timestamp())
        ELSE clock_timestamp() + $5::bigint * interval '1 microsecond'
    END,
    place = CASE WHEN $6::text IS NULL AND NOT $7 THEN place ELSE 0 END,
    spent = CASE WHEN $6::text IS NULL THEN greatest(spent - 1, 0) ELSE spent END,
    reason = coalesce($6::text, reason),
    deferred_since = CASE
        WHEN $6::text IS NOT NULL THEN NULL
        WHEN $7 THEN coalesce(deferred_since, clock_timestamp())
        ELSE deferred_since
    END
WHERE queue = $1 AND id = $2 AND state = 1 AND owner = $3 AND fence = $4
RETURNING id
