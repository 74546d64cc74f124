-- In which state the holder's claim is, if the row is still its own. Under the lock of a write.
SELECT state FROM {p}ledger WHERE scope = ?1 AND key = ?2 AND fence = ?3 AND owner = ?4
