-- Stores the result $6 of the step $5, if the key $1, $2 runs with fence $3 and owner $4, and none is stored. Locks the
-- key's row against being settled or claimed meanwhile. Was one stored after the snapshot, then neither half has a
-- result, and the statement is sent again.
WITH held AS MATERIALIZED (
    SELECT scope, key
    FROM {p}ledger
    WHERE scope = $1 AND key = $2 AND fence = $3 AND owner = $4 AND state = 0
    FOR SHARE
), kept AS (
    INSERT INTO {p}ledger_step (scope, key, name, result)
    SELECT scope, key, $5, $6 FROM held
    ON CONFLICT DO NOTHING
    RETURNING true
)
SELECT
    EXISTS (SELECT FROM held) AS held,
    EXISTS (SELECT FROM kept) AS kept,
    (SELECT result FROM {p}ledger_step WHERE scope = $1 AND key = $2 AND name = $5) AS before
