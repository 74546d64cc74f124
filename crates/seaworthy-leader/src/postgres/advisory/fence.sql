-- Whether the row of the name $1 has the epoch $2 and its lease is not over. If so it stays share-locked to the end of
-- the caller's transaction, which has $3 milliseconds: an acquisition waits for that, pings do not.
SELECT set_config('statement_timeout', $3, true), set_config('idle_in_transaction_session_timeout', $3, true)
FROM (
    SELECT name FROM {p}lease WHERE name = $1 AND epoch = $2 AND expires_at > clock_timestamp() FOR KEY SHARE
) AS mine
