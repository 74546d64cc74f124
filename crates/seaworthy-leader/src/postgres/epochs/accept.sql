-- Takes $2 for the highest epoch of the name $1, unless a higher one is there, and gives the highest. Under the row's
-- lock, which two that come at the same time wait for.
INSERT INTO {p}epoch AS row (name, epoch) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET epoch = greatest(row.epoch, excluded.epoch)
RETURNING epoch
