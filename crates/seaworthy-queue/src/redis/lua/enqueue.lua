-- Accepts all of the jobs, or none. ARGV[2] is the most that are alive, or empty; ARGV[3] is 1 if replicas will be waited
-- for; then id, kind, version, headers, payload, how it is due (now, after, at) and the microseconds of that, each.
-- Answers 1 for each that was accepted and 0 for each that is known, or nothing if the queue has no room.
look_at_keys()
local now = clock()
local accepted = whole(now)
local most = tonumber(ARGV[2])
local answers, new, seen = {}, {}, {}
local ids = {}
for i = 4, #ARGV, 7 do
  ids[#ids + 1] = ARGV[i]
end
local places = #ids > 0 and call('HMGET', IDS, unpack(ids)) or {}
for i = 4, #ARGV, 7 do
  local id = ARGV[i]
  local at = places[(i + 3) / 7]
  local is_forgotten = at == 'r' and tonumber(call('ZSCORE', DONE, id) or 0) <= now
  if seen[id] or (at and not is_forgotten) then
    answers[#answers + 1] = 0
  else
    seen[id] = true
    answers[#answers + 1] = 1
    new[#new + 1] = { at = i, is_forgotten = is_forgotten }
  end
end
if most and #new > 0 and call('XLEN', STREAM) + call('ZCARD', LATER) + #new > most then
  return false
end
local added = {}
for _, one in ipairs(new) do
  local i = one.at
  local how, span = ARGV[i + 5], tonumber(ARGV[i + 6])
  local due = (how == 'after' and now + span) or (how == 'at' and math.max(span, now)) or now
  if due <= now then
    -- The fields in their order.
    local entry = call('XADD', STREAM, '*', 'id', ARGV[i], 'kind', ARGV[i + 1], 'version', ARGV[i + 2], 'headers', ARGV[i + 3],
      'payload', ARGV[i + 4], 'accepted', accepted, 'due', accepted, 'spent', '0', 'fence', '0', 'abandoned', '0',
      'deferred', '', 'reason', '')
    added[#added + 1] = ARGV[i]
    added[#added + 1] = 's ' .. entry .. ' 0'
  else
    park({
      id = ARGV[i], kind = ARGV[i + 1], version = ARGV[i + 2], headers = ARGV[i + 3], payload = ARGV[i + 4],
      accepted = now, due = due, spent = 0, fence = 0, abandoned = 0, deferred = '', reason = '',
    }, due)
  end
  if one.is_forgotten then
    call('ZREM', DONE, ARGV[i])
  end
end
if #added > 0 then
  call('HSET', IDS, unpack(added))
end
if #new == 0 and ARGV[3] == '1' then
  -- What replicas are waited for is the last write of this connection: let it be one after that of the job.
  call('HSET', IDS, ARGV[4], call('HGET', IDS, ARGV[4]))
end
return answers
