-- In a caller's transaction: the first half of settle.sql. A claim that was settled before gives no row, because what
-- this transaction does beside it would happen twice. The row is locked until the transaction ends.
UPDATE {p}ledger
SET state = $5, result = $6, content_type = $7, reason = $8, grants = grants - $10,
    finished_at = clock_timestamp(), expires_at = clock_timestamp() + $9::bigint * interval '1 microsecond'
WHERE scope = $1 AND key = $2 AND fence = $3 AND owner = $4 AND state = 0
RETURNING true AS settled
