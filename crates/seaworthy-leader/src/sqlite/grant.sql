-- Grants the name ?1 to the term ?3 with the epoch ?2, from ?6 until ?7. Under the lock of a write, in which the row was
-- found to be free for it.
INSERT INTO {p}lease (name, epoch, term, holder, hint, lease_from, expires_at, granted_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?6)
ON CONFLICT (name) DO UPDATE SET
    epoch = excluded.epoch,
    term = excluded.term,
    holder = excluded.holder,
    hint = excluded.hint,
    lease_from = excluded.lease_from,
    expires_at = excluded.expires_at,
    granted_at = excluded.granted_at
