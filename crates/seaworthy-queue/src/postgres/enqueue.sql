-- Puts jobs into the queue $1, one of each column for every job: ids $2, kinds $3, versions $4, headers $5, payloads $6,
-- microseconds from now $7, or microseconds since 1970 $8, when they are due. All that are new, or none if that would
-- make more than $9 live jobs. One that is live, dead or remembered is left as it is.
-- Takes the locks of the new rows in the order of ids, so that no two statements wait for each other. Who makes the same
-- id at the same time is waited for, and then it is there already. Wakes whoever listens, with the commit.
WITH begun AS MATERIALIZED (
    SELECT clock_timestamp() AS now
), asked AS MATERIALIZED (
    SELECT asked.*
    FROM unnest($2::text[], $3::text[], $4::integer[], $5::text[], $6::bytea[], $7::bigint[], $8::bigint[])
        WITH ORDINALITY AS asked (id, kind, version, headers, payload, after_us, at_us, place)
), fresh AS MATERIALIZED (
    SELECT asked.*
    FROM asked
    WHERE NOT EXISTS (SELECT FROM {p}job AS j WHERE j.queue = $1 AND j.id = asked.id)
        AND NOT EXISTS (SELECT FROM {p}dead_job AS d WHERE d.queue = $1 AND d.id = asked.id)
        AND NOT EXISTS (
            SELECT FROM {p}done_job AS d WHERE d.queue = $1 AND d.id = asked.id AND d.until > statement_timestamp()
        )
), room AS MATERIALIZED (
    SELECT
        CASE
            WHEN $9::bigint IS NULL THEN true
            WHEN NOT EXISTS (SELECT FROM fresh) THEN true
            ELSE (SELECT count(*) FROM (SELECT FROM {p}job AS j WHERE j.queue = $1 ORDER BY j.id LIMIT $9::bigint) AS live)
                + (SELECT count(DISTINCT id) FROM fresh) <= $9::bigint
        END AS is_there
), inserted AS (
    INSERT INTO {p}job (
        queue, id, state, due, place, deliveries, spent, abandoned, fence, accepted_at, reason, kind, version, headers,
        payload
    )
    SELECT
        $1, fresh.id, 0,
        CASE
            WHEN fresh.at_us IS NULL THEN begun.now + fresh.after_us * interval '1 microsecond'
            ELSE greatest(begun.now, timestamptz 'epoch' + fresh.at_us * interval '1 microsecond')
        END,
        fresh.place, 0, 0, 0, 0, begun.now, '', fresh.kind, fresh.version, fresh.headers::jsonb, fresh.payload
    FROM fresh
    CROSS JOIN begun
    CROSS JOIN room
    WHERE room.is_there
    ORDER BY fresh.id COLLATE "C"
    ON CONFLICT (queue, id) DO NOTHING
    RETURNING id
), told AS MATERIALIZED (
    SELECT pg_notify('seaworthy', $10) FROM inserted LIMIT 1
)
SELECT room.is_there AS has_room, inserted.id IS NOT NULL AS accepted, (SELECT count(*) FROM told) AS told
FROM room
CROSS JOIN asked
LEFT JOIN inserted ON inserted.id = asked.id
ORDER BY asked.place
