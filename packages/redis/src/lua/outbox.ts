import { lua } from './prelude.js';

export const append = lua`
local is_other = takes_life()
local writer, w, kind, data, word, cancels = take(), take_number(), take(), take(), take(), take_number()
read_session()
if not is_open() or is_other() then return { 'lost' } end
-- A writer makes its next call only when it has the answer to the one before, so an older one comes only by accident.
local last = redis.call('HGET', base .. ':l', writer)
local known = last and unpacked(last)
if known and w <= known[1] then
  table.remove(known, 1)
  return known
end

local before = record.level
-- Status, whose place it took (or nobody's), and who had to give way.
local function append_now()
  if kind == 'cancel' then
    if abandon(cancels) then push_reply('cancel', data, '', writer, w) end
    return { 'ok', '', 0 }
  elseif kind == 'part' then
    if not fits(num('rm'), num('rb'), size_of(data), num('bm'), num('bb')) then return { 'full', '', 0 } end
    push_reply('reply', data, '', '', 0)
    return { 'ok', '', 0 }
  elseif kind == 'request' then
    local open = redis.call('HLEN', base .. ':q') + redis.call('HLEN', base .. ':k')
    local dropped = open < num('asks') and enqueue(kind, data, writer, w, '')
    if not dropped then return { 'full', '', 0 } end
    return extend({ 'ok', '', 0 }, dropped)
  end
  local old = supersede(kind, data, writer, w, word)
  if old then return { 'ok', old[4], old[5] } end
  local dropped = enqueue(kind, data, writer, w, word)
  if dropped then return extend({ 'ok', '', 0 }, dropped) end
  leave_hole(add('pos', 1))
  return { 'full', '', 0 }
end

local result = append_now()
redis.call('HSET', base .. ':l', writer, pack(extend({ w }, result)))
save()
note({ 'session', name })
local gone = { 'overflow', name, 'gone' }
for index = 4, #result, 2 do
  if result[index] ~= writer then extend(gone, { result[index], result[index + 1] }) end
end
if #gone > 3 then note(gone) end
if record.over == 'disconnect' and before == 'low' and record.level == 'high' then
  note({ 'overflow', name, 'connection' })
end
return result
`;

export const withdraw = lua`
local is_other = takes_life()
local writer, w = take(), take_number()
read_session()
if not is_open() or is_other() then return { 'gone' } end
local open = redis.call('HGETALL', base .. ':k')
for index = 1, #open, 2 do
  local by, number_of_call = unpack(unpacked(open[index + 1]))
  if by == writer and number_of_call == w then return { 'numbered', tonumber(open[index]) } end
end
local place = redis.call('HGET', base .. ':q', asked_by(writer, w))
if not place then return { 'gone' } end
local member = waiting_at(place)
redis.call('ZREM', base .. ':w', member)
redis.call('HDEL', base .. ':q', asked_by(writer, w))
tally('e', unpacked(member)[3], -1)
save()
-- What waited behind it may go.
note({ 'session', name })
return { 'ok' }
`;
