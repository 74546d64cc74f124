-- The version, whether this is a standby, and the random setting that the connection was opened with: behind a pooler
-- it is NULL, or somebody else's. Takes no lock.
SELECT
    current_setting('server_version_num') AS version,
    pg_is_in_recovery()::text AS in_recovery,
    current_setting('seaworthy.nonce', true) AS nonce
