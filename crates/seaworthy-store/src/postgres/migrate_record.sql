-- Notes that the package $1 has major version $2 and all steps up to $3. Under the lock of `migrate`.
INSERT INTO {p}schema (package, major, version) VALUES ($1, $2, $3)
ON CONFLICT (package) DO UPDATE SET version = EXCLUDED.version
