-- Removes the dead job ARGV[2] for good. Answers 1, or 0 if it is not there.
look_at_keys()
local entry = in_dead(ARGV[2])
local job = entry and read(DEAD, entry)
if not job or job.id ~= ARGV[2] then
  return 0
end
call('XDEL', DEAD, entry)
call('HDEL', IDS, ARGV[2])
return 1
