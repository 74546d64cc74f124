-- Ends a running claim of the holder's: state ?5 at ?6, with what is kept, until ?10, and ?11 grants taken back. Under
-- the lock of a write, which this statement takes where it is the first of a caller's transaction.
UPDATE {p}ledger
SET state = ?5, finished_at = ?6, result = ?7, content_type = ?8, reason = ?9, expires_at = ?10,
    grants = max(grants - ?11, 0)
WHERE scope = ?1 AND key = ?2 AND fence = ?3 AND owner = ?4 AND state = 0
