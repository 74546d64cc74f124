-- One row for each name, which is never deleted; times in microseconds since 1970, by the wall clock of the machine.
CREATE TABLE {p}lease (
    name text NOT NULL PRIMARY KEY,
    epoch integer NOT NULL,
    -- whose it is, for people; empty after a release
    holder text NOT NULL,
    -- 16 bytes
    term blob NOT NULL,
    -- when the lease was granted or renewed; a clock that is before that by more than the lease was stepped back
    lease_from integer NOT NULL,
    -- the lease is live before this
    expires_at integer NOT NULL,
    granted_at integer NOT NULL,
    hint text
);
-- The highest epoch of each name that a resource has accepted.
CREATE TABLE {p}epoch (
    name text NOT NULL PRIMARY KEY,
    epoch integer NOT NULL
);
