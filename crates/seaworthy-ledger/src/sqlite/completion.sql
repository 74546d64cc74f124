-- Completes the claim of the holder (?1 scope, ?2 key, ?3 fence, ?4 owner) with the result ?5, which is ?6, for ?7
-- microseconds, or for ever if that is NULL. In a caller's transaction, which has the lock from here on. Any driver can
-- send it: it must change exactly one row. The time is the wall clock's, to the millisecond, and written so that older
-- versions of SQLite understand it.
UPDATE {p}ledger
SET state = 1, result = ?5, content_type = ?6, reason = NULL,
    finished_at = CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS integer) * 1000,
    expires_at = CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS integer) * 1000 + ?7
WHERE scope = ?1 AND key = ?2 AND fence = ?3 AND owner = ?4 AND state = 0
