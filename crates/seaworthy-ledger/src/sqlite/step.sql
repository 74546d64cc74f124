-- What is stored for a step, whoever stored it. Takes no lock.
SELECT result FROM {p}ledger_step WHERE scope = ?1 AND key = ?2 AND name = ?3
