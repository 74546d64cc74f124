-- What is known of a key, without its owner and without the result. Takes no lock.
SELECT fence, state, lease_from, lease_until, first_at, started_at, finished_at, grants, reason, length(result)
FROM {p}ledger
WHERE scope = ?1 AND key = ?2
