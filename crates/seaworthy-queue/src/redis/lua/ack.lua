-- Jobs are done: id, owner, fence, and the microseconds for which the id is remembered or an empty text, each, from ARGV[2]
-- on. Removes each whose owner and fence are these. Answers 1 for each, or 0 if it was lost.
look_at_keys()
local now = clock()
local answers, entries, consumers, forgotten, remembered = {}, {}, {}, {}, {}
local seen = {}
for i = 2, #ARGV, 4 do
  local id = ARGV[i]
  local entry, consumer = held(id, ARGV[i + 1], ARGV[i + 2])
  answers[#answers + 1] = entry and 1 or 0
  if entry then
    entries[#entries + 1] = entry
    if not seen[consumer] then
      seen[consumer] = true
      consumers[#consumers + 1] = consumer
    end
    if ARGV[i + 3] == '' then
      forgotten[#forgotten + 1] = id
    else
      remembered[#remembered + 1] = { id, now + ARGV[i + 3] }
    end
  end
end
if #entries == 0 then
  return answers
end
call('XACK', STREAM, GROUP, unpack(entries))
call('XDEL', STREAM, unpack(entries))
for _, consumer in ipairs(consumers) do
  part(consumer)
end
if #forgotten > 0 then
  call('HDEL', IDS, unpack(forgotten))
end
for _, one in ipairs(remembered) do
  call('HSET', IDS, one[1], 'r')
  call('ZADD', DONE, whole(one[2]), one[1])
end
-- Those whose time is over make room for those to come.
for _, old in ipairs(call('ZRANGEBYSCORE', DONE, '-inf', whole(now), 'LIMIT', 0, 16 * #answers)) do
  if call('HGET', IDS, old) == 'r' then
    call('HDEL', IDS, old)
  end
  call('ZREM', DONE, old)
end
return answers
