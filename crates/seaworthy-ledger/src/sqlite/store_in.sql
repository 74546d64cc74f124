-- Adds the result ?5, which is ?6, to what claim_in recorded in this transaction, once. Under its lock.
UPDATE {p}ledger
SET result = ?5, content_type = ?6
WHERE scope = ?1 AND key = ?2 AND fence = ?3 AND owner = ?4 AND state = 1 AND result IS NULL AND reason IS NULL
