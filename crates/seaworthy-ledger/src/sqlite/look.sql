-- What a claim has to know of a key. Takes no lock; under that of a write it decides.
SELECT fence, state, owner, lease_from, lease_until, finished_at, rank, fingerprint, result, content_type, reason
FROM {p}ledger
WHERE scope = ?1 AND key = ?2
