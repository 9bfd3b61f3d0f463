/** Marks Lua for editors; nothing is put in. */
export const lua = String.raw;

/**
 * What every script begins with. `KEYS[1]` is the record that it is about, a hash; whatever belongs to it stands under
 * the same key with a letter behind it, and so under the same hash tag. The first arguments are always the same.
 *
 * Numbers are whole and have 14 digits at most: Lua writes no more of them.
 */
export const prelude = lua`
local base = KEYS[1]
local channel, clock, class, name, lease = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])

local taken = 5
local function take()
  taken = taken + 1
  return ARGV[taken]
end
local function take_number()
  return tonumber(take())
end

-- Whose clock it is decides who asks: nobody but a test brings a time of its own.
local now = tonumber(clock)
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
now = math.floor(now)

-- Another one when Redis has begun anew, or when a replica has taken over: it may have lost what it had promised.
local incarnation = ''
if class ~= 'disk' then
  incarnation = string.sub(string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)'), 1, 16)
end
local function is_past(known)
  return class ~= 'disk' and known ~= incarnation
end

-- The record; what is changed is written at the end, by save().
local record, changed = {}, {}
local function read_record()
  local flat = redis.call('HGETALL', base)
  for index = 1, #flat, 2 do record[flat[index]] = flat[index + 1] end
end
local function num(field)
  return tonumber(record[field]) or 0
end
local function set(field, value)
  record[field] = value
  changed[field] = value
end
local function add(field, by)
  set(field, num(field) + by)
  return num(field)
end
local function save()
  local flat = {}
  for field, value in pairs(changed) do
    flat[#flat + 1] = field
    flat[#flat + 1] = value
  end
  if #flat > 0 then redis.call('HSET', base, unpack(flat)) end
  changed = {}
end

local function whole(number)
  return string.format('%.0f', number)
end

-- A note to all servers: fields, each behind its length. Told when the step is over.
local notes = {}
local function note(fields)
  local parts = {}
  for index, part in ipairs(fields) do
    if type(part) == 'number' then part = whole(part) end
    parts[index] = #part .. ':' .. part
  end
  notes[#notes + 1] = table.concat(parts)
end
local function extend(list, more)
  for _, one in ipairs(more) do list[#list + 1] = one end
  return list
end

local pack, unpacked = cmsgpack.pack, cmsgpack.unpack
-- Text or bytes, behind one letter that says which.
local function size_of(data)
  return #data - 1
end
`;

/** What a script does, as a whole: told in the same step, or handed to whoever asks, who has another way to the others. */
export const step = (...parts: readonly string[]): string => lua`
local function step()
${parts.join('')}
end
local reply = step()
if type(reply) == 'table' and reply.err then return reply end
if channel == '' then return { reply, notes } end
for _, one in ipairs(notes) do redis.call('PUBLISH', channel, one) end
return reply
`;
