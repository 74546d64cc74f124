-- Hands out jobs to the consumer ARGV[2]: at most ARGV[3], and none that has been delivered ARGV[5] times: that dies.
-- First those that it was handed before, if ARGV[6] is 1; then those that are idle for ARGV[4] milliseconds and for the
-- visibility that they were given; then those that were released; then up to 64 that have become due are moved into the
-- stream, and what is new there is delivered. The pending list is looked through if ARGV[7] is 1, or if it is short.
-- ARGV[8] is 1 if the consumer goes on to wait. ARGV[9] and those after it are consumers of askings that came to nothing,
-- which are removed.
--
-- No write of it is one that a full server refuses.
-- Answers the time, when the next is due or an empty text, the dead, and the jobs: entry, count, what it carries, its
-- fence before those deliveries; and 1 if what is new filled the room.
local CONSUMER, ROOM, VISIBILITY, MOST = ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local SHORT, SHORTEST, AT_ONCE = 1024, 20, 64

local pending
local groups = redis.pcall('XINFO', 'GROUPS', STREAM)
for _, group in ipairs(groups) do
  local is_ours = false
  for i = 1, #group, 2 do
    is_ours = is_ours or (group[i] == 'name' and group[i + 1] == GROUP)
  end
  for i = 1, #group, 2 do
    if is_ours and group[i] == 'pending' then
      pending = group[i + 1]
    end
  end
end
if not pending then
  return redis.error_reply('NOGROUP there is no such group')
end
local now = clock()
local released = call('ZRANGE', FIRST, 0, AT_ONCE - 1)
local due = call('ZRANGEBYSCORE', LATER, '-inf', whole(now), 'LIMIT', 0, AT_ONCE)
if #released > 0 or #due > 0 then
  look_at_keys()
end
local jobs, died = {}, {}

local function give(entry, count, fields, job)
  jobs[#jobs + 1] = { entry, count, fields, whole(job.fence) }
end

-- After so many deliveries of the entry, which its fence has to be beyond if it is redriven.
local function die(entry, job, attempts, count)
  job.fence = job.fence + count
  bury(entry, job, attempts, job.reason ~= '' and job.reason or 'was abandoned each time', now)
  died[#died + 1] = job.id
end

-- What was abandoned.
local function take_over(entry, consumer, count)
  local found = call('XRANGE', STREAM, entry, entry)[1]
  local job = found and current(entry, found[2])
  if not found then
    -- Somebody has removed it from the stream.
    call('XACK', STREAM, GROUP, entry)
  elseif job.spent + count >= MOST then
    die(entry, job, job.spent + count, count)
  else
    call('XCLAIM', STREAM, GROUP, CONSUMER, 0, entry)
    give(entry, count + 1, found[2], job)
  end
  if consumer ~= CONSUMER then
    part(consumer)
  end
end

if ARGV[6] == '1' and ROOM > 0 then
  for _, one in ipairs(call('XPENDING', STREAM, GROUP, '-', '+', ROOM, CONSUMER)) do
    local found = call('XRANGE', STREAM, one[1], one[1])[1]
    if found then
      local job = current(one[1], found[2])
      if job.spent + one[4] > MOST then
        -- It was read by waiting, which looks at nothing.
        die(one[1], job, job.spent + one[4] - 1, one[4])
      else
        -- Its lease begins anew, and its count stays.
        call('XCLAIM', STREAM, GROUP, CONSUMER, 0, one[1], 'JUSTID')
        give(one[1], one[4], found[2], job)
      end
    end
  end
end

-- With few pending all are looked at, so that a lease shorter than our own is seen to be over, too.
if ARGV[7] == '1' or pending <= SHORT then
  local idle = pending <= SHORT and SHORTEST or VISIBILITY
  local from = '-'
  while from and #jobs < ROOM and #died < AT_ONCE do
    local found = call('XPENDING', STREAM, GROUP, 'IDLE', idle, from, '+', AT_ONCE)
    from = #found == AT_ONCE and '(' .. found[#found][1]
    for _, one in ipairs(found) do
      if #jobs < ROOM and one[3] >= visibility_of(one[2]) then
        take_over(one[1], one[2], one[4])
      end
    end
  end
end

-- A group that was made anew reads those as new, and then their fence is not the one that they carry.
local is_any_released = #released > 0
for _, at in ipairs(released) do
  if #jobs < ROOM then
    call('ZREM', FIRST, at)
    local entry, count = placed(at)
    local found = call('XRANGE', STREAM, entry, entry)[1]
    -- Unless it was cancelled, or a group that was made anew has read it.
    if found and #call('XPENDING', STREAM, GROUP, entry, entry, 1) == 0 then
      local job = current(entry, found[2])
      if job.spent + count > MOST then
        die(entry, job, job.spent + count - 1, count)
      else
        call('XCLAIM', STREAM, GROUP, CONSUMER, 0, entry, 'RETRYCOUNT', count, 'FORCE', 'JUSTID')
        give(entry, count, found[2], job)
      end
    end
  end
end

if #due > 0 then
  begin_move()
end
for _, id in ipairs(due) do
  local body = call('HGET', BODIES, id)
  if body then
    local fields = cmsgpack.unpack(body)
    local entry = call('XADD', STREAM, '*', unpack(fields))
    call('HSET', IDS, id, 's ' .. entry .. ' ' .. whole(carried(entry, fields).fence))
  else
    call('HDEL', IDS, id)
  end
  call('ZREM', LATER, id)
  call('HDEL', BODIES, id)
end

-- Nothing is left that comes before what is new, and of that there may be more.
local has_more = false
while #jobs < ROOM and #died < AT_ONCE do
  local new = call('XREADGROUP', 'GROUP', GROUP, CONSUMER, 'COUNT', ROOM - #jobs, 'STREAMS', STREAM, '>')
  if not new then
    break
  end
  local is_all = #new[1][2] < ROOM - #jobs
  for _, one in ipairs(new[1][2]) do
    local spent, fence = counts(one[2])
    if spent and not is_any_released and tonumber(spent) < MOST then
      jobs[#jobs + 1] = { one[1], 1, one[2], fence }
    else
      local job = current(one[1], one[2])
      if job.spent >= MOST then
        die(one[1], job, job.spent, 1)
      else
        give(one[1], 1, one[2], job)
      end
    end
  end
  if is_all then
    break
  end
  has_more = #jobs == ROOM
end

if #jobs == 0 and (ARGV[8] == '0' or #died > 0) then
  part(CONSUMER)
end
for i = 9, #ARGV do
  part(ARGV[i])
end
-- Whoever got all that there was room for asks again before that.
local next_due = #jobs < ROOM and call('ZRANGE', LATER, 0, 0, 'WITHSCORES')[2]
return { whole(now), next_due and whole(next_due) or '', died, jobs, has_more and 1 or 0 }
