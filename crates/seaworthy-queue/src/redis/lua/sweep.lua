-- Removes up to 100 dead jobs, oldest first: those that died more than ARGV[2] microseconds ago, and those beyond ARGV[3];
-- either may be empty. Answers how many.
look_at_keys()
local now = clock()
local keep, most = tonumber(ARGV[2]), tonumber(ARGV[3])
local left, swept = call('XLEN', DEAD), 0
for _, one in ipairs(call('XRANGE', DEAD, '-', '+', 'COUNT', 100)) do
  local job = carried(one[1], one[2])
  local is_old = keep and now - (tonumber(job.died) or tonumber(job.accepted)) > keep
  if not is_old and not (most and left > most) then
    break
  end
  call('XDEL', DEAD, one[1])
  local at = call('HGET', IDS, job.id)
  if at == 'd ' .. one[1] then
    call('HDEL', IDS, job.id)
  end
  left, swept = left - 1, swept + 1
end
return swept
