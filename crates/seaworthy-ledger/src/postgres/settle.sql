-- Ends the claim of the key $1, $2 with fence $3 and owner $4: state $5, result $6 of type $7, reason $8, to be kept for
-- $9 microseconds; $10 grants are taken back. Under the row's lock. The second half tells whether it was settled
-- before, when the answer was lost; says it that the claim runs, the row was changed after the snapshot, and the
-- statement is sent again.
WITH seen AS MATERIALIZED (
    SELECT state FROM {p}ledger WHERE scope = $1 AND key = $2 AND fence = $3 AND owner = $4
), settled AS (
    UPDATE {p}ledger
    SET state = $5, result = $6, content_type = $7, reason = $8, grants = grants - $10,
        finished_at = clock_timestamp(), expires_at = clock_timestamp() + $9::bigint * interval '1 microsecond'
    WHERE scope = $1 AND key = $2 AND fence = $3 AND owner = $4 AND state = 0
    RETURNING true
)
SELECT EXISTS (SELECT FROM settled) AS settled, (SELECT state FROM seen) AS state
