-- The result of the step $3 of the key $1, $2. Takes no lock.
SELECT result FROM {p}ledger_step WHERE scope = $1 AND key = $2 AND name = $3
