-- Step 1: live jobs, dead ones, and the ids of those that are done and remembered. Under the lock of `migrate`.
CREATE TABLE {p}job (
    queue text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    -- 0 ready or later, 1 running.
    state smallint NOT NULL,
    -- Since when it can be delivered, and which place it had among those that were enqueued with it.
    due timestamptz NOT NULL,
    place bigint NOT NULL,
    -- How often it was handed out, and how many of these counted as attempts.
    deliveries bigint NOT NULL,
    spent bigint NOT NULL,
    -- How often its lease was over before it was settled.
    abandoned bigint NOT NULL,
    fence bigint NOT NULL,
    -- 16 bytes, and until when; NULL unless it is running.
    owner bytea,
    lease_until timestamptz,
    accepted_at timestamptz NOT NULL,
    deferred_since timestamptz,
    -- Of its last failure.
    reason text NOT NULL,
    kind text NOT NULL,
    version integer NOT NULL,
    -- An array of pairs, in their order.
    headers jsonb NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (queue, id)
);
CREATE INDEX {i}job_due ON {p}job (queue, due, place) WHERE state = 0;
CREATE INDEX {i}job_lease ON {p}job (queue, lease_until) WHERE state = 1;
CREATE TABLE {p}dead_job (
    queue text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    died_at timestamptz NOT NULL,
    -- In the order of death, for those that died at the same moment.
    number bigint GENERATED ALWAYS AS IDENTITY,
    attempts bigint NOT NULL,
    -- Of the last delivery; it goes on growing if the job is redriven.
    fence bigint NOT NULL,
    reason text NOT NULL,
    accepted_at timestamptz NOT NULL,
    kind text NOT NULL,
    version integer NOT NULL,
    headers jsonb NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (queue, id)
);
CREATE INDEX {i}dead_job_died ON {p}dead_job (queue, died_at, number);
CREATE TABLE {p}done_job (
    queue text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    -- Remembered before this.
    until timestamptz NOT NULL,
    PRIMARY KEY (queue, id)
);
CREATE INDEX {i}done_job_until ON {p}done_job (queue, until);
