-- Removes the job $2 of the queue $1 if it is not running. Under the row's lock. `state` is what it was when the
-- statement began.
WITH removed AS (
    DELETE FROM {p}job WHERE queue = $1 AND id = $2 AND state = 0 RETURNING id
)
SELECT
    EXISTS (SELECT FROM removed) AS removed,
    (SELECT state FROM {p}job WHERE queue = $1 AND id = $2) AS state
