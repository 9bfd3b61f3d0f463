import { lua } from './prelude.js';

/**
 * A room: a hash, and under the same key with a letter
 *
 *   :t  zset   the log, by offset                       :m  hash   members, by the number of their move
 *   :l  hash   last call of each writer                 :k  hash   by which message something was published
 *   :y  list   those messages, the oldest first         :v  hash   who is there, of the members
 *
 * An entry of the log is { offset, at, bytes, id, time, word, data, except ... }; who is there is
 * { version, gen, w, user, node, state }.
 */
const room = lua`
local PARTS = { '', ':t', ':m', ':l', ':k', ':y', ':v' }

local function members()
  return redis.call('HLEN', base .. ':m')
end
local function forget(parts)
  for _, part in ipairs(parts) do redis.call('DEL', base .. part) end
end
local function begin(epoch, bounds)
  record = {}
  set('epoch', epoch)
  set('inc', incarnation)
  set('off', 0)
  set('base', 0)
  set('bytes', 0)
  set('bm', bounds[1])
  set('bb', bounds[2])
  set('bt', bounds[3])
end
-- One without members stays as long as its log is worth something to one who comes back.
local function is_over()
  return record.epoch and members() == 0 and num('stir') < now - num('bt')
end
local function read_room()
  read_record()
  if is_over() then
    forget(PARTS)
    record = {}
  end
end
local function stir()
  set('stir', now)
  local ttl = num('bt')
  if members() > 0 or ttl == math.huge then return end
  for _, part in ipairs(PARTS) do redis.call('PEXPIRE', base .. part, whole(ttl + 60000)) end
end
local function open_room(epoch, bounds)
  read_room()
  if not record.epoch then
    begin(epoch, bounds)
  elseif is_past(record.inc) then
    -- Its members stay, and its bounds; of its log nobody knows what is missing, nor who is there: servers that hear of the
    -- next change have another version, read the list and say it again.
    local version = num('pv')
    forget({ '', ':t', ':l', ':k', ':y', ':v' })
    begin(epoch, { num('bm'), num('bb'), num('bt') })
    set('pv', math.max(version + 1, now))
  end
end
-- A change of who is there. Versions go by the clock: a room that is made anew does not come back to those it had.
local function told(sid, gen, w, uid, node, state)
  local before = num('pv')
  set('pv', math.max(before + 1, now))
  note({ 'present', name, before, num('pv'), sid, gen, w, uid, node, state })
end
local function known_there(sid)
  local known = redis.call('HGET', base .. ':v', sid)
  return known and unpacked(known)
end
local function take_bounds()
  local standard, named = {}, {}
  for index = 1, 3 do standard[index] = take_number() end
  for index = 1, 3 do named[index] = take_number() end
  return standard, named
end
local function bind(named)
  if not named[1] then return end
  set('bm', named[1])
  set('bb', named[2])
  set('bt', named[3])
end

-- What is not read live is read from here, so the newest publication stays, however big it is.
local function trim_log()
  local log = base .. ':t'
  local count = redis.call('ZCARD', log)
  while count > 0 do
    local member = redis.call('ZRANGE', log, 0, 0)[1]
    local offset, at, bytes = unpack(unpacked(member))
    local too_much = count > 1 and (count > num('bm') or num('bytes') > num('bb'))
    if at >= now - num('bt') and not too_much then return end
    redis.call('ZREM', log, member)
    add('bytes', -bytes)
    set('base', offset)
    count = count - 1
  end
end
local function count_for(except)
  local count = members()
  for _, sid in ipairs(except) do
    if redis.call('HEXISTS', base .. ':m', sid) == 1 then count = count - 1 end
  end
  return count
end
local function take_except()
  local except = {}
  for index = 1, take_number() do except[index] = take() end
  return except
end
`;

export const publish = lua`${room}
local known_incarnation, epoch = take(), take()
local standard, named = take_bounds()
local writer, w, message = take(), take_number(), take()
local id, time, word, data = take(), take(), take(), take()
local except = take_except()
if known_incarnation ~= '' and is_past(known_incarnation) then return { 'lost' } end
open_room(epoch, standard)
bind(named)

-- A newer one is about to come: who has not read the older ones yet need not, if it is for him.
local function make_needless()
  for _, member in ipairs(redis.call('ZRANGE', base .. ':t', 0, -1)) do
    local old = unpacked(member)
    if old[6] == word then
      local spared = {}
      for index = 8, #old do spared[old[index]] = true end
      local needless = true
      for _, sid in ipairs(except) do needless = needless and spared[sid] end
      if needless then
        redis.call('ZREM', base .. ':t', member)
        add('bytes', -old[3])
      end
    end
  end
end
local function publish_now()
  local known = message ~= '' and redis.call('HGET', base .. ':k', message)
  if known then return unpacked(known) end
  if word ~= '' then make_needless() end
  local offset, bytes = add('off', 1), size_of(data)
  local entry = extend({ offset, now, bytes, id, time, word, data }, except)
  redis.call('ZADD', base .. ':t', offset, pack(entry))
  add('bytes', bytes)
  trim_log()
  local result = { record.epoch, offset, count_for(except) }
  if message ~= '' then
    redis.call('HSET', base .. ':k', message, pack(result))
    if redis.call('RPUSH', base .. ':y', message) > 1024 then
      redis.call('HDEL', base .. ':k', redis.call('LPOP', base .. ':y'))
    end
  end
  return result
end

local last = redis.call('HGET', base .. ':l', writer)
local call = last and unpacked(last)
local result
if call and w <= call[1] then
  result = { call[2], call[3], call[4] }
else
  result = publish_now()
  redis.call('HSET', base .. ':l', writer, pack({ w, result[1], result[2], result[3] }))
end
stir()
save()
note({ 'room', name })
return extend({ 'ok' }, result)
`;

/** In which a publication is tried now. */
export const incarnation = lua`
return incarnation
`;

export const readRoom = lua`${room}
local epoch = take()
local standard, named = take_bounds()
local reads, after_epoch, after = take() == '1', take(), take_number()
open_room(epoch, standard)
bind(named)
trim_log()
stir()
save()
local answer = { record.epoch, num('off'), num('base'), {}, {} }
if not reads then return answer end
-- Who comes from an earlier log has seen nothing of this one. What was lost with that log nobody can say.
local same = after_epoch == record.epoch and after <= num('off')
local from = same and after or 0
if not same or from < num('base') then answer[4] = { from + 1, num('base'), same and 'trimmed' or 'new-epoch' } end
for index, member in ipairs(redis.call('ZRANGEBYSCORE', base .. ':t', '(' .. whole(from), '+inf')) do
  answer[5][index] = unpacked(member)
end
return answer
`;

/** How a session stands to a room, which the session itself says; what is older than what is known is passed over. */
export const seat = lua`${room}
local epoch = take()
local standard, named = take_bounds()
local sid, how, move = take(), take(), take_number()
local known = tonumber(redis.call('HGET', base .. ':m', sid))
if known and known > move then return {} end
if how == 'in' then
  open_room(epoch, standard)
  redis.call('HSET', base .. ':m', sid, move)
  for _, part in ipairs(PARTS) do redis.call('PERSIST', base .. part) end
else
  read_room()
  if not record.epoch or redis.call('HDEL', base .. ':m', sid) == 0 then return {} end
  local there = known_there(sid)
  if there then
    redis.call('HDEL', base .. ':v', sid)
    told(sid, there[2], there[3], '', '', '')
  end
end
stir()
save()
return {}
`;

/** A member is there, or is not any more (without a node). The list is read as a whole, so it has its bounds. */
export const present = lua`${room}
local epoch = take()
local standard = take_bounds()
local sid, gen, w, uid, node, state = take(), take_number(), take_number(), take(), take(), take()
if redis.call('HEXISTS', base .. ':m', sid) == 0 then return { 'gone' } end
open_room(epoch, standard)
local known = known_there(sid)
local function is_later(gen1, w1, gen2, w2)
  if gen1 == gen2 then return w1 > w2 end
  return gen1 > gen2
end
if node == '' then
  if known and not is_later(known[2], known[3], gen, w) then
    redis.call('HDEL', base .. ':v', sid)
    told(sid, gen, w, '', '', '')
  end
elseif not known and redis.call('HLEN', base .. ':v') >= 1024 then
  return { 'full' }
elseif not known or is_later(gen, w, known[2], known[3]) then
  told(sid, gen, w, uid, node, state)
  redis.call('HSET', base .. ':v', sid, pack({ num('pv'), gen, w, uid, node, state }))
end
save()
return { 'ok' }
`;

/** The version, then sid, entry, sid, entry ... */
export const whoIsThere = lua`${room}
local epoch = take()
local standard = take_bounds()
read_record()
if record.epoch and is_past(record.inc) then
  record = {}
  open_room(epoch, standard)
  save()
end
local all = {}
local flat = redis.call('HGETALL', base .. ':v')
for index = 1, #flat, 2 do all[#all + 1] = { flat[index], unpack(unpacked(flat[index + 1])) } end
return { num('pv'), all }
`;

/** Servers that live, by when each has said so last. */
export const beat = lua`
redis.call('ZADD', base, now, name)
redis.call('ZREMRANGEBYSCORE', base, '-inf', '(' .. whole(now - lease))
redis.call('PEXPIRE', base, whole(2 * lease))
return redis.call('ZRANGE', base, 0, -1)
`;

export const membersOf = lua`
return redis.call('HKEYS', base .. ':m')
`;

export const countMembers = lua`${room}
return count_for(take_except())
`;
