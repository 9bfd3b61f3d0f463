import { lua } from './prelude.js';

/** What waits for a client and gets its numbers when it is read. */
export const lane = lua`
-- ── What waits: { place, kind, data, writer, w, word }, or { place, 'hole', missing }; awaited: an event with a receipt ──

local function wait_at(place, ...)
  redis.call('ZADD', base .. ':w', place, pack({ place, ... }))
end
local function waiting_at(place)
  return redis.call('ZRANGEBYSCORE', base .. ':w', place, place)[1]
end
local function asked_by(writer, w)
  return whole(w) .. ' ' .. writer
end

-- Holes beside each other are one.
local function leave_hole(place)
  local missing = 1
  local before = redis.call('ZREVRANGEBYSCORE', base .. ':w', '(' .. whole(place), '-inf', 'LIMIT', 0, 1)[1]
  local after = redis.call('ZRANGEBYSCORE', base .. ':w', '(' .. whole(place), '+inf', 'LIMIT', 0, 1)[1]
  for _, member in ipairs({ before or '', after or '' }) do
    local beside = member ~= '' and unpacked(member)
    if beside and beside[2] == 'hole' then
      missing = missing + beside[3]
      redis.call('ZREM', base .. ':w', member)
    end
  end
  wait_at(place, 'hole', missing)
end

local function drop(member)
  local place, _, data, _, _, word = unpack(unpacked(member))
  redis.call('ZREM', base .. ':w', member)
  tally('e', data, -1)
  if word ~= '' then redis.call('HDEL', base .. ':p', word) end
  leave_hole(place)
end

-- Whose events had to give way, the oldest first: writer, w, writer, w ... nil: there is no place.
local function make_place(size)
  local max_messages, max_bytes = num('bm'), num('bb')
  local messages, bytes = num('em'), num('eb')
  if fits(messages, bytes, size, max_messages, max_bytes) then return {} end
  if record.over ~= 'drop-oldest' then return nil end
  local going, writings = {}, {}
  local from = 0
  while true do
    local some = redis.call('ZRANGE', base .. ':w', from, from + 15)
    if #some == 0 then return nil end
    from = from + #some
    for _, member in ipairs(some) do
      local _, kind, data, writer, w = unpack(unpacked(member))
      if kind == 'event' or kind == 'awaited' then
        messages = messages - 1
        bytes = bytes - size_of(data)
        going[#going + 1] = member
        writings[#writings + 1] = writer
        writings[#writings + 1] = whole(w)
        if fits(messages, bytes, size, max_messages, max_bytes) then
          for _, oldest in ipairs(going) do drop(oldest) end
          return writings
        end
      end
    end
  end
end

-- Takes its place at the end. nil: refused.
local function enqueue(kind, data, writer, w, word)
  local dropped = make_place(size_of(data))
  if not dropped then
    set('level', 'high')
    return nil
  end
  tally('e', data, 1)
  local place = add('pos', 1)
  wait_at(place, kind, data, writer, w, word)
  if word ~= '' then redis.call('HSET', base .. ':p', word, place) end
  if kind == 'request' then redis.call('HSET', base .. ':q', asked_by(writer, w), place) end
  return dropped
end

-- Takes the place of what waits under the same word; says whose it was.
local function supersede(kind, data, writer, w, word)
  local place = word ~= '' and redis.call('HGET', base .. ':p', word)
  if not place then return nil end
  local member = waiting_at(place)
  local old = unpacked(member)
  redis.call('ZREM', base .. ':w', member)
  tally('e', old[3], -1)
  tally('e', data, 1)
  wait_at(tonumber(place), kind, data, writer, w, word)
  return old
end

-- ── Numbers: { seq, last, kind, data, writer, w, refusal, state } ─────────────────────────────────────────────────

local function give(kind, data, writer, w, refusal)
  tally('u', data, 1)
  local seq = add('top', 1)
  redis.call('ZADD', base .. ':o', seq, pack({ seq, seq, kind, data, writer, w, refusal, 'kept' }))
  if kind == 'request' then
    redis.call('HSET', base .. ':k', seq, pack({ writer, w }))
    redis.call('HDEL', base .. ':q', asked_by(writer, w))
  end
end

-- A client that stands still while much is refused has one hole that grows, not many.
local function skip(missing)
  local seq = num('top') + 1
  local last = add('top', missing)
  local newest = redis.call('ZREVRANGE', base .. ':o', 0, 0)[1]
  local hole = newest and unpacked(newest)
  if hole and hole[3] == 'hole' then
    redis.call('ZREM', base .. ':o', newest)
    seq = hole[1]
  end
  redis.call('ZADD', base .. ':o', last, pack({ seq, last, 'hole', '' }))
end

-- What waits, by its place in the row; read some at a time.
local function row()
  local known = {}
  return function(index)
    if not known[index] then
      for offset, member in ipairs(redis.call('ZRANGE', base .. ':w', index, index + 15)) do
        known[index + offset - 1] = unpacked(member)
      end
    end
    return known[index]
  end
end

-- Answers at once, the rest as far as the window goes.
local function number(max_messages, max_bytes)
  for _, member in ipairs(redis.call('LRANGE', base .. ':a', 0, -1)) do
    local kind, data, refusal, writer, w = unpack(unpacked(member))
    give(kind, data, writer, w, refusal)
  end
  redis.call('DEL', base .. ':a')
  -- What has a number gives way no more: half of the outbox keeps without, so that the oldest can.
  if record.over == 'drop-oldest' then
    max_messages = math.min(max_messages, num('bm') / 2)
    max_bytes = math.min(max_bytes, num('bb') / 2)
  end
  local function may_go(one)
    return not one or one[2] == 'hole' or fits(num('um'), num('ub'), size_of(one[3]), max_messages, max_bytes)
  end
  local at, going = row(), 0
  while true do
    local one = at(going)
    if not one or not may_go(one) then break end
    local _, kind, data, writer, w, word = unpack(one)
    if kind == 'hole' then
      -- As long as it grows: the client is told once.
      if record.over == 'drop-oldest' and not may_go(at(going + 1)) then break end
      skip(data)
    else
      give(kind, data, writer, w, '')
      if word ~= '' then redis.call('HDEL', base .. ':p', word) end
    end
    going = going + 1
  end
  if going > 0 then redis.call('ZREMRANGEBYRANK', base .. ':w', 0, going - 1) end
end

-- Messages as { seq, data, writer, w }, holes as { seq, last, why }.
local function numbered_above(after)
  local from = math.max(after, num('base')) + 1
  local items = {}
  for index, member in ipairs(redis.call('ZRANGEBYSCORE', base .. ':o', from, '+inf')) do
    local seq, last, kind, data, writer, w, _, state = unpack(unpacked(member))
    if kind == 'hole' then
      items[index] = { math.max(seq, from), last, 'outbox-full' }
    elseif state == 'abandoned' then
      items[index] = { seq, last, state }
    else
      items[index] = { seq, data, writer, w }
    end
  end
  return items
end

-- The request of this number is not open any more, and not written again. False: it was not.
local function abandon(seq)
  if redis.call('HDEL', base .. ':k', seq) == 0 then return false end
  local member = redis.call('ZRANGEBYSCORE', base .. ':o', seq, seq)[1]
  if member then
    local message = unpacked(member)
    message[8] = 'abandoned'
    redis.call('ZREM', base .. ':o', member)
    redis.call('ZADD', base .. ':o', seq, pack(message))
  end
  return true
end
`;
