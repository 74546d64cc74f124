-- What a candidate, or a reader, has to know of a name. Takes no lock; under that of a write it decides.
SELECT epoch, term, holder, hint, lease_from, expires_at FROM {p}lease WHERE name = ?1
