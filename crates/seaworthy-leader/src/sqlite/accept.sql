-- Takes ?2 for the highest epoch of the name ?1, unless a higher one is there: then no row has changed. Under the lock of
-- a write.
INSERT INTO {p}epoch (name, epoch) VALUES (?1, ?2)
ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch WHERE epoch <= excluded.epoch
