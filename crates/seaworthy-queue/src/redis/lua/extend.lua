-- Begins the leases of these deliveries anew, with a visibility of ARGV[2] milliseconds: sets their idle time to 0, and
-- leaves their count. Then id, owner and fence, each. Answers 1 for each that was held and not over, else 0.
local answers = {}
for i = 3, #ARGV, 3 do
  local owner = ARGV[i + 1]
  local entry, consumer, _, idle = held(ARGV[i], owner, ARGV[i + 2])
  if entry and idle < visibility_of(consumer) then
    local same = owner .. ':' .. ARGV[2]
    call('XCLAIM', STREAM, GROUP, same, 0, entry, 'JUSTID')
    if consumer ~= same then
      part(consumer)
    end
    answers[#answers + 1] = 1
  else
    answers[#answers + 1] = 0
  end
end
return answers
