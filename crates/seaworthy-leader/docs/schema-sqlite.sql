-- What the first request of an elector, or of a memory of epochs, makes in a SQLite file, for those with tools of their own.

-- Which version of its tables each package has in this file.
CREATE TABLE IF NOT EXISTS seaworthy_schema (
    package text NOT NULL PRIMARY KEY,
    major integer NOT NULL,
    version integer NOT NULL
);

-- One row for each name, which is never deleted; times in microseconds since 1970, by the wall clock of the machine.
CREATE TABLE seaworthy_lease (
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
CREATE TABLE seaworthy_epoch (
    name text NOT NULL PRIMARY KEY,
    epoch integer NOT NULL
);

INSERT INTO seaworthy_schema (package, major, version) VALUES ('leader', 1, 1);
