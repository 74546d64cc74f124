-- Grants a key to the owner ?3 from ?4 until ?5, and counts the grant by ?8. Under the lock of a write, in which the
-- row was looked at and may be granted.
INSERT INTO {p}ledger
    (scope, key, fence, state, owner, lease_from, lease_until, first_at, started_at, grants, rank, fingerprint)
VALUES (?1, ?2, 1, 0, ?3, ?4, ?5, ?4, ?4, ?8, ?6, ?7)
ON CONFLICT (scope, key) DO UPDATE SET
    fence = fence + 1,
    state = 0,
    owner = excluded.owner,
    lease_from = excluded.lease_from,
    lease_until = excluded.lease_until,
    started_at = excluded.started_at,
    finished_at = NULL,
    grants = grants + excluded.grants,
    rank = excluded.rank,
    fingerprint = coalesce(excluded.fingerprint, fingerprint),
    result = NULL,
    content_type = NULL,
    reason = NULL,
    expires_at = NULL
RETURNING fence, grants
