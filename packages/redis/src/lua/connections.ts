import { lua } from './prelude.js';

/**
 * `KEYS[2]`: how far the durable outboxes of the user have come, and on disk under which incarnation; with `:t` behind it, when
 * each was used.
 */
const marks = lua`
local marks_key = KEYS[2]
local MAX_OUTBOXES = 10000

-- How far back it is known what was accepted.
local function marks_window(most)
  local forgotten = redis.call('HGET', marks_key, 'forgotten')
  if not forgotten then return most end
  return math.max(0, math.min(most, now - tonumber(forgotten)))
end
local function mark_of(outbox)
  return #record.uid .. ':' .. record.uid .. outbox
end
local function marked(outbox, n)
  return n <= (tonumber(redis.call('HGET', marks_key, mark_of(outbox))) or 0)
end
-- On disk the incarnation is a word that lies with the data: what the marks have forgotten, a session must not promise.
local function incarnation_on_disk(own, window)
  redis.call('HSETNX', marks_key, 'inc', own)
  redis.call('PEXPIRE', marks_key, whole(window + 60000))
  return redis.call('HGET', marks_key, 'inc')
end
local function mark_outbox(name_of_outbox, n, window)
  local outbox = mark_of(name_of_outbox)
  local times = marks_key .. ':t'
  redis.call('HSET', marks_key, outbox, n)
  redis.call('ZADD', times, now, outbox)
  local old = redis.call('ZRANGEBYSCORE', times, '-inf', '(' .. whole(now - window))
  local many = redis.call('ZCARD', times) - #old - MAX_OUTBOXES
  if many > 0 then
    local gone = redis.call('ZRANGE', times, #old, #old + many - 1, 'WITHSCORES')
    for index = 1, #gone, 2 do old[#old + 1] = gone[index] end
    redis.call('HSET', marks_key, 'forgotten', gone[#gone])
  end
  for _, one in ipairs(old) do
    redis.call('ZREM', times, one)
    redis.call('HDEL', marks_key, one)
  end
  for _, key in ipairs({ marks_key, times }) do redis.call('PEXPIRE', key, whole(window + 60000)) end
end
`;

export const attach = lua`${marks}
local fresh, uid, user, n, key, new_key = take() == '1', take(), take(), take_number(), take(), take()
local epoch, received, acked, asks = take(), take_number(), take_number(), take_number()
local bm, bb, over, codec, node = take_number(), take_number(), take(), take(), take()
local window, stamp, fresh_epoch = take_number(), take(), take()
read_session()

local function knows(shown)
  -- Hashes of keys that nobody can guess: how long it takes to compare them says nothing.
  return shown ~= '' and (shown == record.key or shown == record.prev)
end
-- Details only for who shows user and key; whoever else asks cannot tell it from a session that never was.
local function verdict_on_lost()
  if not record.at or record.st == 'closed' or record.uid ~= uid or not knows(key) then return { 'lost' } end
  return { 'lost', record.reason, handled(), redis.call('LRANGE', base .. ':x', 0, -1) }
end
-- Numbers of a session that had been used must not be given a second time.
local function is_unused()
  if not record.at then return true end
  return record.st ~= 'closed' and record.heard ~= '1' and redis.call('ZCARD', base .. ':i') == 0
end
local function refusal()
  if uid ~= record.uid then return 'lost' end
  if n <= num('n') then return 'stale' end
  -- Its WELCOME was lost, so it has no key to show. Once it has been heard, it has one.
  if fresh then return record.heard == '1' and 'lost' or nil end
  if not knows(key) then return 'lost' end
  if epoch ~= record.inc or received > num('top') or acked > num('acc') then return 'lost' end
  return nil
end
local function make()
  local gen, mv = num('gen'), num('mv')
  for _, room in ipairs(redis.call('HKEYS', base .. ':r')) do redis.call('SADD', base .. ':u', room) end
  redis.call('PERSIST', base .. ':u')
  local parts = { '', ':i', ':c', ':h', ':a', ':w', ':p', ':q', ':o', ':k', ':l', ':r', ':x' }
  for _, part in ipairs(parts) do redis.call('DEL', base .. part) end
  record = {}
  set('st', 'open')
  set('uid', uid)
  set('user', user)
  set('codec', codec)
  set('inc', class == 'disk' and incarnation_on_disk(fresh_epoch, window) or incarnation)
  set('gen', gen)
  set('mv', mv)
  set('level', 'low')
end

local previous
if is_open() then
  local refused = refusal()
  if refused then return { refused } end
  previous = num('gen')
  if class == 'disk' then incarnation_on_disk(record.inc, window) end
else
  if not (fresh and is_unused()) then return verdict_on_lost() end
  make()
  previous = 0
end
-- It goes on rising when a session is made anew: the clock does.
set('gen', math.max(num('gen') + 1, now))
if previous == 0 then set('first', num('gen')) end
set('n', n)
set('node', node)
set('att', 1)
set('asks', asks)
set('bm', bm)
set('bb', bb)
set('over', over)
set('prev', key)
set('key', new_key)
if stamp ~= '' then set('ix', stamp) end
touch()
trim(received)
save()
note({ 'attach', name, record.inc, num('gen') })
local data = record.data and { record.data } or {}
return {
  fresh and 'new' or 'resumed', record.inc, num('gen'), previous, num('acc'), num('base'), handled(), num('move'),
  marks_window(window), record.codec, rooms(), data, untold(),
}
`;

export const accept = lua`${marks}
local epoch, gen, ack, window = take(), take_number(), take_number(), take_number()
local inbox_messages, inbox_bytes = take_number(), take_number()
read_session()
local refused = refuses(epoch, gen)
if refused then return { refused } end

local answers, cancels, items = {}, {}, {}
for index = 1, take_number() do answers[index] = { take_number(), take() } end
for index = 1, take_number() do cancels[index] = take_number() end
for index = 1, take_number() do
  items[index] = {
    seq = take_number(), item = take(), bytes = take_number(), moves = take() == '1',
    outbox = take(), n = take_number(), data = take(), refusal = take(),
  }
end
-- Before anything changes: a step is made as a whole or not at all.
local highest = items[1] and math.min(items[1].seq - 1, num('acc')) or 0
for _, one in ipairs(items) do
  if one.seq ~= highest + 1 then
    local what = 'accept(): number ' .. whole(one.seq) .. ' does not follow on ' .. whole(highest)
    return redis.error_reply('HOLDFAST ' .. what)
  end
  highest = one.seq
end

touch()
set('heard', 1)
set('prev', '')
trim(ack)
for _, answer in ipairs(answers) do
  local asker = redis.call('HGET', base .. ':k', answer[1])
  if asker then
    redis.call('HDEL', base .. ':k', answer[1])
    local writer, w = unpack(unpacked(asker))
    note({ 'answer', name, writer, w, answer[2] })
  end
end
for _, seq in ipairs(cancels) do
  local claim = redis.call('HGET', base .. ':c', seq)
  local holder = claim and unpacked(claim)[1] or ''
  if holder ~= '' and holder ~= record.node then note({ 'cancel', name, holder, seq }) end
end

-- False if there is no place for it.
local function accept_one(one)
  -- Accepted in an earlier session, it has been handled there, or will be, whatever would be said of it today.
  if one.outbox ~= '' and marked(one.outbox, one.n) then
    mark(one.seq)
    return true
  end
  if (one.item ~= '' or one.data ~= '') and full_of_replies() then return false end
  if one.item ~= '' then
    local waiting = redis.call('ZCARD', base .. ':i')
    if not fits(waiting, num('ib'), one.bytes, inbox_messages, inbox_bytes) then return false end
    redis.call('ZADD', base .. ':i', one.seq, pack({ one.seq, one.bytes, one.item }))
    add('ib', one.bytes)
    if one.outbox ~= '' then mark_outbox(one.outbox, one.n, window) end
  else
    mark(one.seq)
  end
  if one.moves then set('move', one.seq) end
  if one.data ~= '' then push_reply('reply', one.data, one.refusal, '', 0) end
  return true
end

local status, refuses_some = 'ok', false
for _, one in ipairs(items) do
  if one.seq > num('acc') then
    if not accept_one(one) then
      status = 'full'
      break
    end
    set('acc', one.seq)
  end
end
for _, one in ipairs(items) do refuses_some = refuses_some or one.data ~= '' end
save()
if refuses_some then note({ 'session', name }) end
return { status, num('acc') }
`;

export const read = lua`
local epoch, gen, after = take(), take_number(), take_number()
local messages, bytes, wants_rooms = take_number(), take_number(), take() == '1'
read_session()
local refused = refuses(epoch, gen)
if refused then return { refused } end
touch()
number(messages, bytes)
save()
return { 'ok', numbered_above(after), handled(), wants_rooms and rooms() or {}, wants_rooms and untold() or {} }
`;

export const detach = lua`
local epoch, gen = take(), take_number()
read_session()
if not refuses(epoch, gen) and record.att == '1' then
  set('att', 0)
  set('touched', now)
  save()
end
return { 'ok' }
`;

/** `gone` says the rooms as well: who had ended it may not have come to take it out of them. */
export const end = lua`
local why, idle, reason = take(), take_number(), take()
read_session()
local found = left_rooms()
if not is_open() or (why == 'expired' and now - num('touched') < idle) then
  if record.st == 'lost' and redis.call('ZCARD', base .. ':i') == 0 then
    set('st', 'expired')
    save()
  end
  return { 'gone', 0, is_open() and {} or found, record.uid or '', record.ix or '' }
end
local undelivered = bury(why, why, reason)
return { 'ok', undelivered, found, record.uid, record.ix or '' }
`;
