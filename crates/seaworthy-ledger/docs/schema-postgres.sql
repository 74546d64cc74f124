-- The ledger's tables in Postgres, as `seaworthy_ledger::postgres::migrate` makes them in the first schema of the
-- connection's search path, with the default prefix. For those who have tools of their own for schemas: run it once, in
-- one transaction. `migrate` then finds nothing to do.

CREATE TABLE IF NOT EXISTS seaworthy_schema (
    package text PRIMARY KEY,
    major integer NOT NULL,
    version integer NOT NULL
);

-- Step 1.
-- state: 0 running, 1 done, 2 failed. Done with a result: result, content_type; for good as a failure: reason.
CREATE TABLE seaworthy_ledger (
    scope text NOT NULL,
    key text NOT NULL,
    fence bigint NOT NULL,
    state smallint NOT NULL,
    owner bytea NOT NULL,
    lease_until timestamptz NOT NULL,
    first_at timestamptz NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    grants integer NOT NULL,
    rank bigint,
    fingerprint bytea,
    result bytea,
    content_type text,
    reason text,
    expires_at timestamptz,
    PRIMARY KEY (scope, key)
);
-- What the sweeper looks for, oldest first.
CREATE INDEX seaworthy_ledger_expires ON seaworthy_ledger (expires_at) WHERE state IN (1, 2);
-- What runs past its lease, for the metrics.
CREATE INDEX seaworthy_ledger_lease ON seaworthy_ledger (lease_until) WHERE state = 0;
CREATE TABLE seaworthy_ledger_step (
    scope text NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    result bytea NOT NULL,
    PRIMARY KEY (scope, key, name),
    FOREIGN KEY (scope, key) REFERENCES seaworthy_ledger (scope, key) ON DELETE CASCADE
);

INSERT INTO seaworthy_schema (package, major, version) VALUES ('ledger', 1, 1)
ON CONFLICT (package) DO UPDATE SET version = EXCLUDED.version;

-- What a program needs then:
-- GRANT SELECT ON seaworthy_schema TO …;
-- GRANT SELECT, INSERT, UPDATE, DELETE ON seaworthy_ledger, seaworthy_ledger_step TO …;
