-- A done row in one go, now being ?4, for work that is in the caller's transaction as a whole. It writes in any case, so
-- that the transaction has the lock before the row is looked at: one that is there already is left as it is.
INSERT INTO {p}ledger
    (scope, key, fence, state, owner, lease_from, lease_until, first_at, started_at, finished_at, grants, expires_at,
    fingerprint)
VALUES (?1, ?2, 1, 1, ?3, ?4, ?4, ?4, ?4, ?4, 1, ?5, ?6)
ON CONFLICT (scope, key) DO NOTHING
RETURNING fence, grants
