-- Remembers the id of a job that is done until ?3. Under the lock of a write.
INSERT INTO {p}done_job (queue, id, until) VALUES (?1, ?2, ?3)
ON CONFLICT (queue, id) DO UPDATE SET until = excluded.until
