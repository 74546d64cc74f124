-- Removes up to ?2 rows that are over at ?1, oldest first, by the index of those that end; their steps go with them.
-- Under the lock of a write.
DELETE FROM {p}ledger
WHERE rowid IN (
    SELECT rowid FROM {p}ledger WHERE state IN (1, 2) AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2
)
