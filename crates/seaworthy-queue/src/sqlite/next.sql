-- When the next job of the queue ?1 is due, when the next lease is over, and whether one is over because the clock, ?2
-- now, was stepped back. Three looks at the ends of indexes; takes no lock.
SELECT
    (SELECT min(due) FROM {p}job WHERE queue = ?1 AND state = 0),
    (SELECT min(lease_until) FROM {p}job WHERE queue = ?1 AND state = 1),
    EXISTS (
        SELECT 1 FROM {p}job
        WHERE queue = ?1 AND state = 1 AND lease_from - (lease_until - lease_from) > ?2
    )
