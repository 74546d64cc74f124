-- Whether a job runs. Takes no lock; under that of a write it decides.
SELECT state FROM {p}job WHERE queue = ?1 AND id = ?2
