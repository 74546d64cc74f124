-- Stores the result ?4 of the step ?3 if none is stored. Under the lock of a write, in which the claim was found to be
-- the holder's.
INSERT INTO {p}ledger_step (scope, key, name, result) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (scope, key, name) DO NOTHING
