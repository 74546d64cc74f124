-- Counts: how many are ready, later, running and dead, and for how many microseconds the oldest that is ready was due.
local now = clock()
local running, last = 0, '0-0'
local groups = redis.pcall('XINFO', 'GROUPS', STREAM)
for _, group in ipairs(groups) do
  local of = {}
  for i = 1, #group, 2 do
    of[group[i]] = group[i + 1]
  end
  if of.name == GROUP then
    running, last = of.pending, of['last-delivered-id']
  end
end
local due = call('ZCOUNT', LATER, '-inf', whole(now))
local waiting = math.max(call('XLEN', STREAM) - running, 0)
local oldest = now
local first = call('XRANGE', STREAM, '(' .. last, '+', 'COUNT', 1)[1]
if first then
  oldest = math.min(oldest, tonumber(carried(first[1], first[2]).due))
end
local released = call('ZRANGE', FIRST, 0, 0)[1]
local job = released and read(STREAM, (placed(released)))
if job then
  oldest = math.min(oldest, tonumber(job.due))
end
local next_due = call('ZRANGE', LATER, 0, 0, 'WITHSCORES')[2]
if next_due then
  oldest = math.min(oldest, tonumber(next_due))
end
return { waiting + due, call('ZCARD', LATER) - due, running, call('XLEN', DEAD), whole(now - oldest) }
