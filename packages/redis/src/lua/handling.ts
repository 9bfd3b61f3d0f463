import { lua } from './prelude.js';

/**
 * Who is running a message: holder, token, until when, whether its handler has started (2: and what comes after it waits),
 * whether one may have run before, how many claims have run out.
 */
const claims = lua`
local function claim_of(seq)
  local packed = redis.call('HGET', base .. ':c', seq)
  if not packed then return nil end
  local holder, token, till, started, redelivered, expired = unpack(unpacked(packed))
  return {
    holder = holder, token = token, till = till, started = started > 0, holds = started == 2, redelivered = redelivered == 1,
    expired = expired,
  }
end
local function put_claim(seq, claim)
  local started = claim.started and (claim.holds and 2 or 1) or 0
  local fields = { claim.holder, claim.token, claim.till, started, claim.redelivered and 1 or 0 }
  redis.call('HSET', base .. ':c', seq, pack(extend(fields, { claim.expired or 0 })))
end
-- The claim of this token, if it stands. An expired one that nobody has taken over is as good as new.
local function held(seq, token)
  local claim = claim_of(seq)
  return claim and claim.token ~= '' and claim.token == token and claim or nil
end
`;

export const claim = lua`${claims}
local is_other = takes_life()
local holder, serial, max, token = take(), take() == '1', take_number(), take()
local running = {}
local many = take_number()
for _ = 1, many do running[take_number()] = true end
read_session()
local waiting = redis.call('ZCARD', base .. ':i')
if not record.uid or waiting == 0 then return { {}, 0 } end
if is_open() then
  if is_other() then return { {}, 0 } end
  -- While its owner is not silent for a lease, only that one gets any.
  if holder ~= record.node and now - num('seen') < lease then return { {}, 1 } end
  if holder == record.node then
    set('seen', now)
    save()
  end
elseif now < num('wait') then
  -- Claims that the store has lost may stand: their holders renew them meanwhile.
  return { {}, 1 }
end

local items, blocked, from = {}, 0, 0
while #items < max do
  local some = redis.call('ZRANGE', base .. ':i', from, from + 31)
  if #some == 0 then return { items, blocked } end
  from = from + #some
  for _, member in ipairs(some) do
    if #items >= max then break end
    local seq, _, item = unpack(unpacked(member))
    local known = claim_of(seq)
    local stands = known and known.token ~= ''
    -- Who asks again has not been answered, and has begun nothing.
    local expired = stands and known.token ~= token and known.till <= now
    if stands and not expired and known.holder ~= holder then
      blocked = 1
      -- Its handler may be about to start, and what comes after it must not start before it.
      if serial or not known.started or known.holds or known.expired > 0 then return { items, blocked } end
    elseif running[seq] then
      if known and known.expired > 0 then return { items, blocked } end
    else
      local redelivered = record.st == 'lost' or (known and known.redelivered) or expired or (stands and known.started)
      local times = (known and known.expired or 0) + (expired and 1 or 0)
      -- It may have taken its server down: nobody else is to go with it.
      if times > 0 and (blocked == 1 or #items + many > 0) then return { items, blocked } end
      put_claim(seq, {
        holder = holder, token = token, till = now + lease, redelivered = redelivered, expired = times,
      })
      items[#items + 1] = { seq, item, redelivered and 1 or 0, times }
      if times > 0 then return { items, blocked } end
    end
  end
end
return { items, blocked }
`;

export const renew = lua`${claims}
local seq, token, holds = take_number(), take(), take() == '1'
read_session()
local known = held(seq, token)
-- Of another incarnation, which may have lost it: the handler is running all the same.
if not known and record.st == 'lost' and redis.call('ZRANGEBYSCORE', base .. ':i', seq, seq)[1] then
  local other = claim_of(seq)
  if not other or other.token == '' then known = { holder = '', token = token, redelivered = true } end
end
if not known then return { 'gone' } end
known.till = now + lease
known.started, known.holds = true, holds
put_claim(seq, known)
return { 'ok' }
`;

export const release = lua`${claims}
local seq, token = take_number(), take()
read_session()
local known = held(seq, token)
if not known then return { 'gone' } end
if known.started or known.redelivered then
  put_claim(seq, { holder = '', token = '', till = 0, redelivered = true, expired = known.expired })
else
  redis.call('HDEL', base .. ':c', seq)
end
return { 'ok' }
`;

export const done = lua`${claims}
local seq, token, data, refusal = take_number(), take(), take(), take()
local how, room, membership, presence = take(), take(), take(), take()
read_session()
if not held(seq, token) then return { 'gone', standing(room) } end
local member = redis.call('ZRANGEBYSCORE', base .. ':i', seq, seq)[1]
redis.call('ZREM', base .. ':i', member)
redis.call('HDEL', base .. ':c', seq)
add('ib', -unpacked(member)[2])
mark(seq)
if is_open() then
  if data ~= '' then push_reply('reply', data, refusal, '', 0) end
  if how ~= '' then move(how, room, membership, presence) end
  note({ 'session', name })
elseif refusal ~= '' and record.st ~= 'closed' then
  redis.call('RPUSH', base .. ':x', refusal)
end
save()
if not is_open() and redis.call('ZCARD', base .. ':i') == 0 then forget_later() end
return { 'ok', standing(room) }
`;
