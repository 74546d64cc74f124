-- What is installed: one row for each package. Under the lock of `migrate`.
CREATE TABLE IF NOT EXISTS {p}schema (
    package text PRIMARY KEY,
    major integer NOT NULL,
    version integer NOT NULL
)
