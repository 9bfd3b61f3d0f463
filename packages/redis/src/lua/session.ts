import { lua } from './prelude.js';

/**
 * A session: a hash, and under the same key with a letter
 *
 *   :i  zset   accepted and not handled, by number     :c  hash   who is running which of them
 *   :h  zset   ranges of handled numbers, by their end
 *   :a  list   answers that wait                       :w  zset   events, requests and holes that wait, by place
 *   :p  hash   where the newest of a word waits        :q  hash   where a request waits, by who asked
 *   :o  zset   numbered, by (last) number              :k  hash   requests that are open, by number
 *   :l  hash   last call of each writer                :r  hash   rooms
 *   :x  list   refusals of a session that has ended    :u  set    rooms that may not have heard how it stands to them
 */
export const session = lua`
local DAY = 86400000

local function is_open()
  return record.st == 'open'
end

-- Takes what a caller knows of the session: whether another one has been made under its id since, to be asked when it is read.
local function takes_life()
  local epoch, gen = take(), take_number()
  return function()
    return epoch ~= '' and (epoch ~= record.inc or gen < num('first'))
  end
end

-- ── What has been handled ──────────────────────────────────────────────────────────────────────────────────────

local function mark(seq)
  if seq <= num('low') then return end
  local key = base .. ':h'
  local next = redis.call('ZRANGEBYSCORE', key, seq, '+inf', 'LIMIT', 0, 1)[1]
  if next and tonumber(next) <= seq then return end
  local from, to = seq, seq
  local before = redis.call('ZRANGEBYSCORE', key, seq - 1, seq - 1)[1]
  if before then from = tonumber(before) end
  local after = redis.call('ZSCORE', key, seq + 1)
  if after then
    to = tonumber(after)
    redis.call('ZREM', key, seq + 1)
  end
  if from == num('low') + 1 then
    if before then redis.call('ZREM', key, before) end
    set('low', to)
  else
    redis.call('ZADD', key, to, from)
  end
end

-- The low mark, and the newest thousand above it, the highest first.
local function handled()
  local above = {}
  local ranges = redis.call('ZREVRANGE', base .. ':h', 0, 999, 'WITHSCORES')
  for index = 1, #ranges, 2 do
    for seq = tonumber(ranges[index + 1]), tonumber(ranges[index]), -1 do
      if #above == 1000 then break end
      above[#above + 1] = seq
    end
  end
  return { num('low'), above }
end

-- ── Messages and bytes: e events and requests, r answers, u numbered and unacknowledged ───────────────────────────

local function tally(what, data, sign)
  add(what .. 'm', sign)
  add(what .. 'b', sign * size_of(data))
end
-- With nothing there, one of any size has its place.
local function fits(messages, bytes, size, max_messages, max_bytes)
  return messages == 0 or (messages < max_messages and bytes + size <= max_bytes)
end
local function full_of_replies()
  return num('rm') >= num('bm') or num('rb') >= num('bb')
end

local function push_reply(kind, data, refusal, writer, w)
  tally('r', data, 1)
  redis.call('RPUSH', base .. ':a', pack({ kind, data, refusal, writer, w }))
end

-- The client has everything up to seq. Whoever waits for that at another server than its own is told.
local function trim(seq)
  set('base', math.max(num('base'), math.min(seq, num('top'))))
  local gone = redis.call('ZRANGEBYSCORE', base .. ':o', '-inf', num('base'))
  if #gone == 0 then return end
  redis.call('ZREMRANGEBYSCORE', base .. ':o', '-inf', num('base'))
  local awaited = { 'taken', name }
  for _, member in ipairs(gone) do
    local _, _, kind, data, writer, w = unpack(unpacked(member))
    if kind ~= 'hole' then
      tally('u', data, -1)
      tally((kind == 'reply' or kind == 'cancel') and 'r' or 'e', data, -1)
    end
    if kind == 'awaited' and writer ~= record.node then extend(awaited, { writer, w }) end
  end
  if #awaited > 2 then note(awaited) end
  if num('em') <= num('bm') / 2 and num('eb') <= num('bb') / 2 then set('level', 'low') end
end

-- ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────────

local function refusals()
  local all = {}
  for _, member in ipairs(redis.call('ZRANGE', base .. ':o', 0, -1)) do
    local message = unpacked(member)
    if message[3] == 'reply' and message[7] ~= '' then all[#all + 1] = message[7] end
  end
  for _, member in ipairs(redis.call('LRANGE', base .. ':a', 0, -1)) do
    local reply = unpacked(member)
    if reply[3] ~= '' then all[#all + 1] = reply[3] end
  end
  return all
end

-- What has no number and somebody waits for, the oldest first: writer, w, writer, w ...
local function unwritten()
  local writings = {}
  for _, member in ipairs(redis.call('ZRANGE', base .. ':w', 0, -1)) do
    local _, kind, _, writer, w = unpack(unpacked(member))
    if kind == 'request' or kind == 'awaited' then extend(writings, { writer, w }) end
  end
  return writings
end

local function forget_later()
  for _, part in ipairs({ '', ':h', ':r', ':x', ':u' }) do redis.call('PEXPIRE', base .. part, DAY + 60000) end
end

-- What is left is what somebody still has to handle, and what its client may ask when it comes back.
local function bury(why, st, reason)
  local undelivered, refused, writings = num('em'), refusals(), unwritten()
  for _, part in ipairs({ 'a', 'w', 'p', 'q', 'o', 'k', 'l' }) do redis.call('DEL', base .. ':' .. part) end
  for _, refusal in ipairs(refused) do redis.call('RPUSH', base .. ':x', refusal) end
  local kept = { 'uid', 'user', 'codec', 'data', 'key', 'prev', 'heard', 'low', 'gen', 'mv', 'inc', 'touched', 'ib', 'ix' }
  local left = {}
  for _, field in ipairs(kept) do left[field] = record[field] end
  redis.call('DEL', base)
  record, changed = left, {}
  for field, value in pairs(left) do changed[field] = value end
  set('st', st)
  set('reason', reason)
  set('at', now)
  if st == 'lost' then set('wait', now + lease) end
  save()
  if redis.call('ZCARD', base .. ':i') == 0 then forget_later() end
  note(extend({ 'end', name, why, reason, undelivered, record.inc, num('gen') }, writings))
  return undelivered
end

-- A session of another incarnation is over: what it has been promised may be gone.
local function read_session()
  read_record()
  if is_open() and is_past(record.inc) then bury('expired', 'lost', '') end
  if record.at and redis.call('ZCARD', base .. ':i') == 0 and num('at') < now - DAY then record = {} end
end

-- nil: it is the caller's.
local function refuses(epoch, gen)
  if not is_open() or epoch ~= record.inc then return 'lost' end
  if gen ~= num('gen') then return 'fenced' end
  return nil
end

local function touch()
  set('touched', now)
  set('seen', now)
end

-- ── Rooms ────────────────────────────────────────────────────────────────────────────────────────────────────────

local function rooms()
  local all = {}
  local flat = redis.call('HGETALL', base .. ':r')
  for index = 1, #flat, 2 do
    local _, membership, presence = unpack(unpacked(flat[index + 1]))
    all[#all + 1] = flat[index]
    all[#all + 1] = membership
    all[#all + 1] = presence
  end
  return all
end

-- Into a room, out of it, or another word about itself in it. Each has a number, by which the room tells old from new.
local function move(how, room, membership, presence)
  local known = redis.call('HGET', base .. ':r', room)
  if how == 'tell' then
    if not known then return end
    local at, as = unpack(unpacked(known))
    redis.call('HSET', base .. ':r', room, pack({ at, as, presence }))
    return
  end
  set('mv', math.max(num('mv') + 1, now))
  redis.call('SADD', base .. ':u', room)
  if how == 'in' then
    redis.call('HSET', base .. ':r', room, pack({ num('mv'), membership, presence }))
  else
    redis.call('HDEL', base .. ':r', room)
  end
end

-- Rooms that were not told of the last move: whoever was to tell them may have died over it.
local function untold()
  return redis.call('SMEMBERS', base .. ':u')
end
-- And of one that has ended: those that it was in.
local function left_rooms()
  local all = untold()
  for _, room in ipairs(redis.call('HKEYS', base .. ':r')) do
    if redis.call('SISMEMBER', base .. ':u', room) == 0 then all[#all + 1] = room end
  end
  return all
end

-- How the session stands to a room: in or out, and since which move.
local function standing(room)
  local known = is_open() and redis.call('HGET', base .. ':r', room)
  if known then return { 'in', unpacked(known)[1] } end
  return { 'out', num('mv') }
end
`;
