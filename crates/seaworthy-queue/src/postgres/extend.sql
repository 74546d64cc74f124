-- Moves the ends of leases in the queue $1 to $5 microseconds from now: ids $2, owners $3, fences $4, one of each for
-- every delivery, where these are the job's and its lease is not over. Under the rows' locks, taken in the order of ids;
-- whether a lease is over is asked again when all are locked.
WITH asked AS MATERIALIZED (
    SELECT asked.*
    FROM unnest($2::text[], $3::bytea[], $4::bigint[]) WITH ORDINALITY AS asked (id, owner, fence, number)
), held AS MATERIALIZED (
    SELECT asked.number, j.id, j.lease_until
    FROM asked
    JOIN {p}job AS j ON j.queue = $1 AND j.id = asked.id
    WHERE j.state = 1 AND j.owner = asked.owner AND j.fence = asked.fence
    ORDER BY j.id
    FOR UPDATE OF j
), extended AS (
    UPDATE {p}job AS j
    SET lease_until = clock_timestamp() + $5::bigint * interval '1 microsecond'
    WHERE j.queue = $1 AND j.id = ANY (ARRAY(SELECT id FROM held WHERE lease_until > clock_timestamp()))
    RETURNING j.id
)
SELECT extended.id IS NOT NULL AS held
FROM asked
LEFT JOIN held ON held.number = asked.number
LEFT JOIN extended ON extended.id = held.id
ORDER BY asked.number
