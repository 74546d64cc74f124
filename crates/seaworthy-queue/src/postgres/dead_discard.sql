-- Removes the dead job $2 of the queue $1 for good. Under the row's lock.
DELETE FROM {p}dead_job WHERE queue = $1 AND id = $2 RETURNING id
