-- Removes the job ARGV[2], if it is not running. Answers removed, running or unknown.
look_at_keys()
local id = ARGV[2]
if call('HGET', IDS, id) == 'l' then
  call('ZREM', LATER, id)
  call('HDEL', BODIES, id)
  call('HDEL', IDS, id)
  return 'removed'
end
local entry = in_stream(id)
local job = entry and read(STREAM, entry)
if not job or job.id ~= id then
  return 'unknown'
end
if #call('XPENDING', STREAM, GROUP, entry, entry, 1) > 0 then
  return 'running'
end
call('XDEL', STREAM, entry)
call('HDEL', IDS, id)
return 'removed'
