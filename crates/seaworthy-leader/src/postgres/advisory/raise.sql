-- Raises the epoch of the name $1 above the row's and $2, for the term $3 of the holder $4 with the hint $5, whose
-- session the server keeps for $6 microseconds. Under the advisory lock of the name. The row is locked FOR UPDATE first
-- and updated then: that lock alone waits for the transactions that its last leader guards.
WITH old AS MATERIALIZED (
    SELECT epoch FROM {p}lease WHERE name = $1 FOR UPDATE
)
INSERT INTO {p}lease AS l (name, epoch, holder, term, expires_at, granted_at, hint)
SELECT
    $1, greatest(coalesce((SELECT epoch FROM old), 0), $2) + 1, $4, $3,
    clock_timestamp() + $6::bigint * interval '1 microsecond', clock_timestamp(), $5
ON CONFLICT (name) DO UPDATE SET
    epoch = greatest(l.epoch, $2) + 1,
    holder = excluded.holder,
    term = excluded.term,
    expires_at = excluded.expires_at,
    granted_at = excluded.granted_at,
    hint = excluded.hint
RETURNING l.epoch, coalesce((SELECT epoch FROM old), 0) AS before
