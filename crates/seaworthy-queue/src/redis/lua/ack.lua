-- Jobs are done: id, owner, fence, and the microseconds for which the id is remembered or an empty text, each, from ARGV[2]
-- on. Removes each whose owner and fence are these. Answers 1 for each, or 0 if it was lost.
local now = clock()
-- Those whose time is over make room for those to come.
local over = call('ZRANGEBYSCORE', DONE, '-inf', whole(now), 'LIMIT', 0, 4 * #ARGV)
local answers, entries, forgotten, remembered = {}, {}, {}, {}
-- The consumers that were seen, and what they have pending: whoever took many settles many.
local names, pending = {}, {}

local function look_at(owner, entry)
  local one = call('XPENDING', STREAM, GROUP, entry, entry, 1)[1]
  if not one or string.sub(one[2], 1, 32) ~= owner then
    return
  end
  if not names[one[2]] then
    names[one[2]] = true
    for _, other in ipairs(call('XPENDING', STREAM, GROUP, '-', '+', 64, one[2])) do
      pending[other[1]] = { owner, other[4] }
    end
  end
  pending[entry] = { owner, one[4] }
end

local ids = {}
for i = 2, #ARGV, 4 do
  ids[#ids + 1] = ARGV[i]
end
local places = call('HMGET', IDS, unpack(ids))
for i = 2, #ARGV, 4 do
  local id, owner = ARGV[i], ARGV[i + 1]
  local entry, before = spot(id, places[(i + 2) / 4])
  if entry and not pending[entry] then
    look_at(owner, entry)
  end
  local found = entry and pending[entry]
  local is_held = found and found[1] == owner and before + found[2] == tonumber(ARGV[i + 2])
  answers[#answers + 1] = is_held and 1 or 0
  if is_held then
    -- The same twice in one request is held once.
    pending[entry] = { '' }
    entries[#entries + 1] = entry
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
for consumer in pairs(names) do
  part(consumer)
end
if #forgotten > 0 then
  call('HDEL', IDS, unpack(forgotten))
end
for _, one in ipairs(remembered) do
  call('HSET', IDS, one[1], 'r')
  call('ZADD', DONE, whole(one[2]), one[1])
end
for _, old in ipairs(over) do
  if call('HGET', IDS, old) == 'r' then
    call('HDEL', IDS, old)
  end
  call('ZREM', DONE, old)
end
return answers
