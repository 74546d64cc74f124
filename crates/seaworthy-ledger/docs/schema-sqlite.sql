-- What opening a ledger in a SQLite file makes, for those with tools of their own.

-- Which version of its tables each package has in this file.
CREATE TABLE IF NOT EXISTS seaworthy_schema (
    package text NOT NULL PRIMARY KEY,
    major integer NOT NULL,
    version integer NOT NULL
);

-- One row for each key; times in microseconds since 1970, by the wall clock of the machine.
CREATE TABLE seaworthy_ledger (
    scope text NOT NULL,
    key text NOT NULL,
    fence integer NOT NULL,
    -- 0 running, 1 done, 2 failed
    state integer NOT NULL,
    -- 16 bytes
    owner blob NOT NULL,
    -- when the lease was granted or renewed; a clock that is before that by more than the lease was stepped back
    lease_from integer NOT NULL,
    lease_until integer NOT NULL,
    first_at integer NOT NULL,
    started_at integer NOT NULL,
    finished_at integer,
    grants integer NOT NULL,
    rank integer,
    fingerprint blob,
    result blob,
    content_type text,
    -- of a failure; with state 1, of one that is final
    reason text,
    -- none while it runs, and if it is kept for ever
    expires_at integer,
    PRIMARY KEY (scope, key)
);
CREATE INDEX seaworthy_ledger_expires ON seaworthy_ledger (expires_at) WHERE state IN (1, 2);
CREATE INDEX seaworthy_ledger_running ON seaworthy_ledger (lease_until) WHERE state = 0;
-- The results of the steps of a key's work, which go with its row.
CREATE TABLE seaworthy_ledger_step (
    scope text NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    result blob NOT NULL,
    PRIMARY KEY (scope, key, name),
    FOREIGN KEY (scope, key) REFERENCES seaworthy_ledger (scope, key) ON DELETE CASCADE
);

INSERT INTO seaworthy_schema (package, major, version) VALUES ('ledger', 1, 1);
