-- Moves the dead job ARGV[2] back into the stream, with nothing spent and its header `redriven` counted up. Begins with
-- what a full server refuses. Answers 1, or 0 if it is not there.
look_at_keys()
local entry = in_dead(ARGV[2])
local job = entry and read(DEAD, entry)
if not job or job.id ~= ARGV[2] then
  return 0
end
local headers, times = '', 0
for name, value in string.gmatch(job.headers, '([^\t\n]*)\t([^\t\n]*)\n') do
  if name == 'redriven' then
    times = tonumber(string.match(value, '^%d+$')) or 0
  else
    headers = headers .. name .. '\t' .. value .. '\n'
  end
end
job.headers = headers .. 'redriven\t' .. whole(math.min(times + 1, 4294967295)) .. '\n'
job.due, job.spent, job.fence, job.abandoned, job.deferred, job.reason = clock(), 0, 0, 0, '', ''
add(job)
call('XDEL', DEAD, entry)
return 1
