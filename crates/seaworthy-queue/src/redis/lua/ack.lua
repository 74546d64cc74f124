-- The job ARGV[2] is done, if owner ARGV[3] and fence ARGV[4] are its: removes it, and remembers its id for ARGV[5]
-- microseconds, unless that is empty. Answers 1, or 0 if it was lost.
look_at_keys()
local id = ARGV[2]
local entry, consumer = held(id, ARGV[3], ARGV[4])
if not entry then
  return 0
end
local now = clock()
leave(entry)
part(consumer)
if ARGV[5] == '' then
  call('HDEL', IDS, id)
else
  call('HSET', IDS, id, 'r')
  call('ZADD', DONE, whole(now + ARGV[5]), id)
end
-- Those whose time is over make room for those to come.
for _, old in ipairs(call('ZRANGEBYSCORE', DONE, '-inf', whole(now), 'LIMIT', 0, 16)) do
  if call('HGET', IDS, old) == 'r' then
    call('HDEL', IDS, old)
  end
  call('ZREM', DONE, old)
end
return 1
