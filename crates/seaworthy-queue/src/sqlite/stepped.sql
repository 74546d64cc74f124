-- The same for those whose leases are over because the clock was stepped back by more than they are long.
SELECT number, id, spent >= ?3 FROM {p}job
WHERE queue = ?1 AND state = 1 AND lease_from - (lease_until - lease_from) > ?2 AND (?6 OR spent < ?3)
LIMIT ?4
