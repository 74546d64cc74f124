-- Whether there is no schema of the name $1 yet. Takes no lock; whoever else makes one waits for ours.
SELECT to_regnamespace($1) IS NULL
