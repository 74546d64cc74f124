-- The job ARGV[2] is dead, for the reason ARGV[5], if owner ARGV[3] and fence ARGV[4] are its. Its id stays known.
-- Answers 1, or 0 if it was lost.
local entry, consumer, count = held(ARGV[2], ARGV[3], ARGV[4])
local job = entry and read(STREAM, entry)
if not job then
  return 0
end
job.fence = job.fence + count
bury(entry, job, job.spent + count, ARGV[5], clock())
part(consumer)
return 1
