-- Step 1: one row for each key, and one for each step of a key's work. Under the lock of `migrate`.
-- state: 0 running, 1 done, 2 failed. Done with a result: result, content_type; for good as a failure: reason.
CREATE TABLE {p}ledger (
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
CREATE INDEX {i}ledger_expires ON {p}ledger (expires_at) WHERE state IN (1, 2);
-- What runs past its lease, for the metrics.
CREATE INDEX {i}ledger_lease ON {p}ledger (lease_until) WHERE state = 0;
CREATE TABLE {p}ledger_step (
    scope text NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    result bytea NOT NULL,
    PRIMARY KEY (scope, key, name),
    FOREIGN KEY (scope, key) REFERENCES {p}ledger (scope, key) ON DELETE CASCADE
);
