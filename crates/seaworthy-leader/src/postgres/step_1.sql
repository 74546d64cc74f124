-- Step 1: one row for each name, which is never deleted. Under the lock of `migrate`.
CREATE TABLE {p}lease (
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
CREATE TABLE {p}epoch (
    name text PRIMARY KEY,
    epoch bigint NOT NULL
);
