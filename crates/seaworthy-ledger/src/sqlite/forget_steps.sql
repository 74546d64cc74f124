-- Removes the steps of a key that begins anew. Under the lock of a write.
DELETE FROM {p}ledger_step WHERE scope = ?1 AND key = ?2
