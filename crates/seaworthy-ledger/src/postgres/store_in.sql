-- In the caller's transaction that recorded the key $1, $2 as done, with fence $3 and owner $4: adds the result $5, of
-- type $6. Only as long as that transaction, or a savepoint of it, is the one that wrote the row: what has been
-- committed is never changed. Under the row's lock, which the transaction has already. The row's xmin has 32 bits; they are those of the nearest transaction id of 64.
UPDATE {p}ledger
SET result = $5, content_type = $6
WHERE scope = $1 AND key = $2 AND state = 1 AND fence = $3 AND owner = $4
    AND pg_xact_status((
        pg_current_xact_id()::text::bigint + 2147483647
        - ((pg_current_xact_id()::text::bigint + 2147483647 - xmin::text::bigint) & 4294967295)
    )::text::xid8) = 'in progress'
RETURNING true AS stored
