-- One row for each job that is not dead; times in microseconds since 1970, by the wall clock of the machine. A column by
-- which rows are found cannot be of another type, which would hide its row from all who look.
CREATE TABLE {p}job (
    -- in the order of acceptance
    number integer PRIMARY KEY,
    queue text NOT NULL,
    id text NOT NULL,
    -- 0 ready or later, 1 running
    state integer NOT NULL CHECK (state IN (0, 1)),
    -- since when it could have been delivered
    due integer NOT NULL CHECK (typeof(due) = 'integer'),
    -- attempts, of which those that were none have been given back
    spent integer NOT NULL CHECK (typeof(spent) = 'integer'),
    -- how often its lease was over
    abandoned integer NOT NULL CHECK (typeof(abandoned) = 'integer'),
    -- deliveries, whatever became of them
    fence integer NOT NULL CHECK (typeof(fence) = 'integer'),
    -- 16 bytes, and the rest of its lease, while it runs. Before that they have something in them, too, so that in a
    -- file that is full a job can be handed out: its row does not grow by it.
    owner blob NOT NULL,
    -- when the lease began or was extended; a clock that is before that by more than the lease was stepped back
    lease_from integer NOT NULL CHECK (typeof(lease_from) = 'integer'),
    lease_until integer NOT NULL CHECK (typeof(lease_until) = 'integer'),
    accepted_at integer NOT NULL,
    -- the first of its last deferrals in a row
    deferred_since integer,
    -- of its last failure, or empty
    reason text NOT NULL,
    kind text NOT NULL,
    version integer NOT NULL CHECK (version BETWEEN 0 AND 65535),
    -- JSON: pairs of name and value, in their order
    headers text NOT NULL,
    payload blob NOT NULL,
    UNIQUE (queue, id)
);
CREATE INDEX {i}job_due ON {p}job (queue, due) WHERE state = 0;
CREATE INDEX {i}job_lease ON {p}job (queue, lease_until) WHERE state = 1;
-- By the moment before which the clock was stepped back.
CREATE INDEX {i}job_stepped ON {p}job (queue, lease_from - (lease_until - lease_from)) WHERE state = 1;
-- Those that were given up.
CREATE TABLE {p}dead_job (
    -- in the order in which they died
    number integer PRIMARY KEY,
    queue text NOT NULL,
    id text NOT NULL,
    died_at integer NOT NULL,
    reason text NOT NULL,
    attempts integer NOT NULL,
    fence integer NOT NULL,
    accepted_at integer NOT NULL,
    kind text NOT NULL,
    version integer NOT NULL,
    headers text NOT NULL,
    payload blob NOT NULL,
    UNIQUE (queue, id)
);
CREATE INDEX {i}dead_job_order ON {p}dead_job (queue, number);
CREATE INDEX {i}dead_job_died ON {p}dead_job (queue, died_at);
-- Ids of those that are done, until when they are remembered.
CREATE TABLE {p}done_job (
    queue text NOT NULL,
    id text NOT NULL,
    until integer NOT NULL,
    PRIMARY KEY (queue, id)
);
CREATE INDEX {i}done_job_until ON {p}done_job (queue, until);
