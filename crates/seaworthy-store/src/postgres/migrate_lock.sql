-- One after the other, to the end of the transaction: `CREATE TABLE IF NOT EXISTS` of two sessions at once fails for
-- one of them. The number is "seaworth" in ASCII.
SELECT pg_advisory_xact_lock(8315159452608263272)
