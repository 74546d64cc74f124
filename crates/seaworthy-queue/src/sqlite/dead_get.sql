-- A dead job. Takes no lock; under that of a write it is what is redriven.
SELECT id, kind, version, headers, payload, attempts, reason, accepted_at, died_at FROM {p}dead_job
WHERE queue = ?1 AND id = ?2
