-- The same for a row that may be granted, which is counted by ?7. Under the lock of a write, in which the row was looked
-- at.
UPDATE {p}ledger
SET fence = fence + 1, state = 1, owner = ?3, lease_from = ?4, lease_until = ?4, started_at = ?4, finished_at = ?4,
    grants = grants + ?7, rank = NULL, fingerprint = coalesce(?6, fingerprint), result = NULL, content_type = NULL,
    reason = NULL, expires_at = ?5
WHERE scope = ?1 AND key = ?2
RETURNING fence, grants
