-- The version of the tables of the package $1. Takes no lock.
SELECT major, version FROM {p}schema WHERE package = $1
