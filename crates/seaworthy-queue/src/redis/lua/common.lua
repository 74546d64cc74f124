-- Begins every script. KEYS are the stream, {stream}:later, {stream}:bodies, the dead letters, {stream}:ids, {stream}:done
-- and {stream}:first; ARGV[1] is the group. A script runs alone, and is not rolled back: each reads what could fail before its
-- first write. Times are the server's, in microseconds since 1970.
--
-- {stream}:ids has where a job is: "s <entry> <fence>" in the stream, "l" later, "d <entry>" dead, "r" remembered. How
-- often an entry was delivered is its count in the pending list; what it carries is from before it was moved there. Its
-- consumer there is "<owner>:<visibility in milliseconds>".
--
-- What is released stays in the stream where it is, and is not pending: {stream}:first has its entry, and the count of its
-- deliveries, which the next has again; so its fence in {stream}:ids is one more.
local STREAM, LATER, BODIES, DEAD, IDS, DONE, FIRST = unpack(KEYS)
local GROUP = ARGV[1]
local FIELDS = {
  'id', 'kind', 'version', 'headers', 'payload', 'accepted', 'due', 'spent', 'fence', 'abandoned', 'deferred', 'reason',
}
local call = redis.call

-- A number as text, all of its digits.
local function whole(number)
  return string.format('%.0f', number)
end

local function clock()
  local time = call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- A key of another type fails here, before anything is written.
local function look_at_keys()
  call('XLEN', STREAM)
  call('ZCARD', LATER)
  call('HLEN', BODIES)
  call('XLEN', DEAD)
  call('HLEN', IDS)
  call('ZCARD', DONE)
  call('ZCARD', FIRST)
end

-- What an entry carries. One that was not written by us has a payload, and its entry's id.
local function carried(entry, flat)
  local job = {}
  for i = 1, #flat, 2 do
    job[flat[i]] = flat[i + 1]
  end
  if not (job.accepted and job.id) then
    local accepted = string.match(entry, '^%d+') .. '000'
    job = { id = entry, payload = job.payload, accepted = accepted, due = accepted }
  end
  job.kind = job.kind or ''
  job.version = job.version or '1'
  job.headers = job.headers or ''
  job.payload = job.payload or ''
  job.due = job.due or job.accepted
  job.spent = tonumber(job.spent) or 0
  job.fence = tonumber(job.fence) or 0
  job.abandoned = tonumber(job.abandoned) or 0
  job.deferred = job.deferred or ''
  job.reason = job.reason or ''
  return job
end

-- Of an entry that we wrote, what it was tried before and its fence, as texts: its fields have their places.
local function counts(flat)
  if flat[1] == 'id' and flat[11] == 'accepted' and flat[15] == 'spent' and flat[17] == 'fence' then
    return flat[16], flat[18]
  end
end

-- The same, with its fence as it is now.
local function current(entry, flat)
  local job = carried(entry, flat)
  local at, fence = string.match(call('HGET', IDS, job.id) or '', '^s (%S+) (%S+)$')
  job.fence = at == entry and tonumber(fence) or job.fence
  return job
end

local function read(key, entry)
  local found = call('XRANGE', key, entry, entry)[1]
  return found and (key == STREAM and current or carried)(entry, found[2])
end

-- Among those that were released, in the order of their entries.
local function place(entry, count)
  local millis, number = string.match(entry, '^(%d+)%-(%d+)$')
  local function wide(digits)
    return string.rep('0', 20 - #digits) .. digits
  end
  return wide(millis) .. '-' .. wide(number) .. ' ' .. count
end

-- The entry and the count of a place.
local function placed(place)
  local millis, number, count = string.match(place, '^0*(%d+)%-0*(%d+) (%d+)$')
  return millis .. '-' .. number, tonumber(count)
end

-- Always the same fields in the same order, which a stream keeps once for many entries.
local function flat(job)
  local out = {}
  for i, field in ipairs(FIELDS) do
    local value = job[field]
    out[2 * i - 1] = field
    out[2 * i] = type(value) == 'number' and whole(value) or value
  end
  return out
end

-- Into the stream. Its first write is one that a full server refuses.
local function add(job)
  local entry = call('XADD', STREAM, '*', unpack(flat(job)))
  call('HSET', IDS, job.id, 's ' .. entry .. ' ' .. whole(job.fence))
end

-- To wait. Its first write is one that a full server refuses.
local function park(job, due)
  job.due = due
  call('HSET', BODIES, job.id, cmsgpack.pack(flat(job)))
  call('ZADD', LATER, whole(due), job.id)
  call('HSET', IDS, job.id, 'l')
end

local function is_entry(id)
  return string.match(id, '^%d+%-%d+$')
end

-- The entry of a job in the stream, and its fence before the entry's deliveries, by what {stream}:ids has of it.
local function spot(id, at)
  if at then
    return string.match(at, '^s (%S+) (%S+)$')
  end
  if is_entry(id) then
    return id, '0'
  end
end

local function in_stream(id)
  return spot(id, call('HGET', IDS, id))
end

-- The entry of a job among the dead letters.
local function in_dead(id)
  local at = call('HGET', IDS, id)
  if at then
    return string.match(at, '^d (%S+)$')
  end
  return is_entry(id)
end

-- The delivery of a job, if owner and fence are its: its entry, its consumer, its count, and for how long it is idle.
local function held(id, owner, fence)
  local entry, before = in_stream(id)
  if not entry then
    return
  end
  local pending = call('XPENDING', STREAM, GROUP, entry, entry, 1)[1]
  if not pending or string.sub(pending[2], 1, 32) ~= owner or before + pending[4] ~= tonumber(fence) then
    return
  end
  return entry, pending[2], pending[4], pending[3]
end

local function visibility_of(consumer)
  return tonumber(string.sub(consumer, 34)) or 0
end

-- Removes the consumer of an asking of which nothing is left. One with something pending would take that along.
local function part(consumer)
  if #call('XPENDING', STREAM, GROUP, '-', '+', 1, consumer) == 0 then
    call('XGROUP', 'DELCONSUMER', STREAM, GROUP, consumer)
  end
end

-- A write that changes nothing. Whether memory is over is asked at a script's first write, and only of one that may grow;
-- so after this a full server lets a move through, and a move can leave its old place when it has its new one: what fails
-- halfway, for a right that is missing, loses no job.
local function begin_move()
  call('XACK', STREAM, GROUP, '0-1')
end

-- Out of the stream.
local function leave(entry)
  call('XACK', STREAM, GROUP, entry)
  call('XDEL', STREAM, entry)
end

-- From the stream to the dead letters.
local function bury(entry, job, attempts, reason, now)
  look_at_keys()
  begin_move()
  local dead = call('XADD', DEAD, '*', 'id', job.id, 'kind', job.kind, 'version', job.version, 'headers', job.headers,
    'payload', job.payload, 'accepted', job.accepted, 'attempts', whole(attempts), 'reason', reason, 'died', whole(now),
    'fence', whole(job.fence))
  call('HSET', IDS, job.id, 'd ' .. dead)
  leave(entry)
end
