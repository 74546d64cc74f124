-- Jobs of the queue $1 are done: ids $2, owners $3, fences $4, one of each for every delivery, where these are the job's;
-- its id is remembered for as many microseconds as $5 has, unless that is NULL. Under the rows' locks, taken in the order of
-- ids. Forgets some that were remembered for long enough; one that is locked is passed over.
WITH asked AS MATERIALIZED (
    SELECT asked.*
    FROM unnest($2::text[], $3::bytea[], $4::bigint[], $5::bigint[])
        WITH ORDINALITY AS asked (id, owner, fence, remember_us, number)
), held AS MATERIALIZED (
    SELECT asked.number, asked.remember_us, j.id
    FROM asked
    JOIN {p}job AS j ON j.queue = $1 AND j.id = asked.id
    WHERE j.state = 1 AND j.owner = asked.owner AND j.fence = asked.fence
    ORDER BY j.id
    FOR UPDATE OF j
), gone AS (
    DELETE FROM {p}job AS j WHERE j.queue = $1 AND j.id = ANY (ARRAY(SELECT id FROM held)) RETURNING j.id
), old AS MATERIALIZED (
    SELECT d.id
    FROM {p}done_job AS d
    WHERE EXISTS (SELECT FROM asked WHERE remember_us IS NOT NULL)
        AND d.queue = $1 AND d.id <> ALL ($2::text[]) AND d.until <= statement_timestamp()
    ORDER BY d.until
    LIMIT 8 * cardinality($2::text[])
    FOR UPDATE SKIP LOCKED
), forgotten AS (
    DELETE FROM {p}done_job AS d WHERE d.queue = $1 AND d.id = ANY (ARRAY(SELECT id FROM old))
), remembered AS (
    INSERT INTO {p}done_job (queue, id, until)
    SELECT $1, gone.id, clock_timestamp() + max(held.remember_us) * interval '1 microsecond'
    FROM gone
    JOIN held ON held.id = gone.id
    WHERE held.remember_us IS NOT NULL
    GROUP BY gone.id
    ORDER BY gone.id
    ON CONFLICT (queue, id) DO UPDATE SET until = excluded.until
)
SELECT gone.id IS NOT NULL AS held
FROM asked
LEFT JOIN held ON held.number = asked.number
LEFT JOIN gone ON gone.id = held.id
ORDER BY asked.number
