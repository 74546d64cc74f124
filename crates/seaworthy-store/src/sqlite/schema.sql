-- Which version of its tables each package has in this file.
CREATE TABLE IF NOT EXISTS {p}schema (
    package text NOT NULL PRIMARY KEY,
    major integer NOT NULL,
    version integer NOT NULL
);
