-- Removes a job that was copied to the dead. Under the lock of a write.
DELETE FROM {p}job WHERE number = ?1
