-- The job ARGV[2] is due again ARGV[6] microseconds from now, if owner ARGV[3] and fence ARGV[4] are its. ARGV[5] is
-- retry, for the reason ARGV[7], which leaves the attempt spent; defer or release, which give it back. One that is due at
-- once goes to the end of the stream; one that is released keeps its place. Answers 1, or 0 if it was lost.
look_at_keys()
local entry, consumer, count = held(ARGV[2], ARGV[3], ARGV[4])
local job = entry and read(STREAM, entry)
if not job then
  return 0
end
local how, now = ARGV[5], clock()
if how == 'release' then
  begin_move()
  call('ZADD', FIRST, 0, place(entry, count))
  call('HSET', IDS, job.id, 's ' .. entry .. ' ' .. whole(job.fence + 1))
  call('XACK', STREAM, GROUP, entry)
  part(consumer)
  return 1
end
local due = now + ARGV[6]
job.spent = job.spent + count
job.fence = job.fence + count
job.abandoned = job.abandoned + count - 1
if how == 'retry' then
  job.reason, job.deferred = ARGV[7], ''
else
  job.spent = math.max(job.spent - 1, 0)
  if how == 'defer' and job.deferred == '' then
    job.deferred = now
  end
end
begin_move()
if due <= now then
  job.due = now
  add(job)
else
  park(job, due)
end
leave(entry)
part(consumer)
return 1
