-- The tables of leases and epochs in Postgres, as `seaworthy_leader::postgres::migrate` makes them in the first schema of
-- the connection's search path, with the default prefix. For those who have tools of their own for schemas: run it once,
-- in one transaction. `migrate` then finds nothing to do.

CREATE TABLE IF NOT EXISTS seaworthy_schema (
    package text PRIMARY KEY,
    major integer NOT NULL,
    version integer NOT NULL
);

-- Step 1: one row for each name, which is never deleted.
CREATE TABLE seaworthy_lease (
    name text PRIMARY KEY,
    epoch bigint NOT NULL,
    -- Whose it is, for people; empty after a release.
    holder text NOT NULL,
    -- 16 bytes.
    term bytea NOT NULL,
    -- The lease is live before this.
    expires_at timestamptz NOT NULL,
    granted_at timestamptz NOT NULL,
    hint text
);
-- The highest epoch of each name that a resource has accepted.
CREATE TABLE seaworthy_epoch (
    name text PRIMARY KEY,
    epoch bigint NOT NULL
);

INSERT INTO seaworthy_schema (package, major, version) VALUES ('leader', 1, 1)
ON CONFLICT (package) DO UPDATE SET version = EXCLUDED.version;

-- What a program needs then:
-- GRANT SELECT ON seaworthy_schema TO …;
-- GRANT SELECT, INSERT, UPDATE ON seaworthy_lease TO …;
-- And who remembers epochs:
-- GRANT SELECT, INSERT, UPDATE ON seaworthy_epoch TO …;
