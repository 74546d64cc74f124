-- Dead letters in the order in which they died. If ARGV[3] is empty, the one of the id ARGV[2]; else at most ARGV[3],
-- after that one, or from the first if it is not there. Answers entry and fields, each.
local entry = ARGV[2] ~= '' and in_dead(ARGV[2])
local job = entry and read(DEAD, entry)
local is_there = job and job.id == ARGV[2]
if ARGV[3] == '' then
  return is_there and call('XRANGE', DEAD, entry, entry) or {}
end
return call('XRANGE', DEAD, is_there and '(' .. entry or '-', '+', 'COUNT', ARGV[3])
