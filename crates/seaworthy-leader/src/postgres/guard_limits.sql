-- In a caller's transaction, until its end: no statement of it, and no wait for the next, takes longer than {limit}
-- milliseconds. A limit of the caller's that is shorter stays. The mark tells the next statement that this one was in
-- the same transaction.
SELECT
    set_config('seaworthy.guard', '{mark}', true),
    (
        SELECT count(set_config(name, '{limit}', true))
        FROM unnest(ARRAY['statement_timeout', 'idle_in_transaction_session_timeout']) AS name
        WHERE extract(epoch FROM current_setting(name)::interval) * 1000 NOT BETWEEN 1 AND {limit}
    )
