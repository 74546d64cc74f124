-- Removes at most $1 rows that have been kept for as long as they were to be, oldest first, and their steps with them.
-- Rows that another sweeper removes are passed over. Locks those that it removes. The clock is read in a query of its
-- own, once, so that the index can be asked with it.
WITH swept AS (
    DELETE FROM {p}ledger
    WHERE ctid = ANY (ARRAY(
        SELECT ctid
        FROM {p}ledger
        WHERE state IN (1, 2) AND expires_at <= (SELECT clock_timestamp())
        ORDER BY expires_at
        LIMIT $1
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING true
)
SELECT count(*) AS swept FROM swept
