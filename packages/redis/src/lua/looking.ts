import { lua } from './prelude.js';

/** What others ask of a session. */
export const look = lua`
read_session()
if not is_open() then return {} end
local data = record.data and { record.data } or {}
return { record.user, record.codec, record.att, data, redis.call('HKEYS', base .. ':r') }
`;

export const orphan = lua`
local idle = take_number()
read_session()
local unhandled = redis.call('ZCARD', base .. ':i')
if not record.uid or (not is_open() and unhandled == 0) then
  -- Nobody has ended it, or not to the end: its rooms or the register of its user do not know of it yet.
  if record.st == 'lost' or redis.call('EXISTS', base .. ':r', base .. ':u') > 0 then return { 'left' } end
  return { 'gone' }
end
if now - num('touched') < idle then return { 'touched', num('touched') } end
local data = record.data and { record.data } or {}
local rooms_to_tell = is_open() and untold() or left_rooms()
return { 'orphan', record.user, record.codec, unhandled, is_open() and 0 or 1, data, rooms_to_tell }
`;

export const describe = lua`
local data = take()
read_session()
if not is_open() then return { 'gone' } end
set('data', data)
save()
return { 'ok' }
`;

export const moveNow = lua`
local how, room, membership, presence = take(), take(), take(), take()
read_session()
if not is_open() then return { 'gone', standing(room) } end
-- Its client may not have read up to where the room stands now.
if how == 'in' and redis.call('HEXISTS', base .. ':r', room) == 1 then return { 'kept', standing(room) } end
move(how, room, membership, presence)
save()
return { 'ok', standing(room) }
`;

/** With what the room was told: that need not be told again. */
export const stand = lua`
local room, told_how, told_move = take(), take(), take_number()
read_session()
local now_standing = standing(room)
if now_standing[1] == told_how and now_standing[2] == told_move then redis.call('SREM', base .. ':u', room) end
return now_standing
`;

/** The rooms of a session that has ended have all heard of it. */
export const leftAll = lua`
read_session()
if not is_open() then redis.call('DEL', base .. ':r', base .. ':u') end
return {}
`;

// ── Registers: sids by when something was last known of them. They may name too many, never too few ──────────────

/** Before the session is made. The score is the mark by which what is entered anew is told from what is to be taken out. */
export const enter = lua`
redis.call('ZADD', base, 'GT', now, name)
return redis.call('ZSCORE', base, name)
`;

/** So many at most, the longest ago first; sid, score, sid, score ... */
export const idleIn = lua`
local idle, count = take_number(), take_number()
return redis.call('ZRANGEBYSCORE', base, '-inf', whole(now - idle), 'WITHSCORES', 'LIMIT', 0, count)
`;

/** It was touched since: looked at again only when it can be idle. */
export const advance = lua`
redis.call('ZADD', base, 'XX', 'GT', take_number(), name)
return {}
`;

/** Unless it was entered anew. \`grace\`: and only if that was so long ago, since it is entered before it is made. */
export const strike = lua`
local score, grace = take(), take_number()
local known = redis.call('ZSCORE', base, name)
if known == score and tonumber(known) <= now - grace then redis.call('ZREM', base, name) end
return {}
`;
