-- The highest epoch of the name ?1. Takes no lock.
SELECT epoch FROM {p}epoch WHERE name = ?1
