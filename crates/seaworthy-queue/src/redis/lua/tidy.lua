-- Removes consumers that have nothing pending and were idle for ARGV[2] milliseconds. To remove one with something pending
-- would remove that, too. Answers how many.
local removed = 0
local consumers = redis.pcall('XINFO', 'CONSUMERS', STREAM, GROUP)
for _, consumer in ipairs(consumers) do
  local of = {}
  for i = 1, #consumer, 2 do
    of[consumer[i]] = consumer[i + 1]
  end
  if of.pending == 0 and of.idle >= tonumber(ARGV[2]) then
    call('XGROUP', 'DELCONSUMER', STREAM, GROUP, of.name)
    removed = removed + 1
  end
end
return removed
