-- For other drivers, in a caller's transaction: completes the claim of the key $1, $2 with fence $3 and owner $4 with the
-- result $5 of type $6, to be kept for $7 microseconds. It changes one row, or the claim was lost. The row is locked until
-- the transaction ends.
UPDATE {p}ledger
SET state = 1, result = $5::bytea, content_type = $6::text, reason = NULL,
    finished_at = clock_timestamp(), expires_at = clock_timestamp() + $7::bigint * interval '1 microsecond'
WHERE scope = $1::text AND key = $2::text AND fence = $3::bigint AND owner = $4::bytea AND state = 0
