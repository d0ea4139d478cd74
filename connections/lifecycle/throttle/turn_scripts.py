"""What ``turns`` keeps in Redis, and the Lua that reads and changes it. Times are in seconds, by Redis's own clock
or as they are given.

A caller is a path, as ``tenant/client/end user``, and each part of it a node. Each line has a hash with its bucket
(``tokens``, ``tokens_at``), ``hold_until`` and for each node the virtual time ``now:NODE`` of what is below it; for
each node a sorted set ``:had:NODE`` of what is below it, by the tag behind its last turn; and a sorted set ``:waiting``
of the callers in the line by when they are expected to have asked again. All keys expire.
"""

_PREFIX = "latchkey:turns"
_KEEP_SECONDS = 3600
_LATE_SECONDS = 1  # a caller that asks no more is left out after that
LOOK_SECONDS = 5  # at the most between two looks, so that a place that others have left is noticed
_HEAD = f"""
local line, now = '{_PREFIX}:' .. ARGV[1], tonumber(ARGV[2])
if not now then
    local stamp = redis.call('TIME')
    now = tonumber(stamp[1]) + tonumber(stamp[2]) / 1000000
end
local waiting = line .. ':waiting'
local function number(field) return tonumber(redis.call('HGET', line, field) or '0') end
"""

# ARGV: line, now or an empty text, caller, how many a second, room of the bucket.
# Answers the seconds to wait as a text, "0" for a turn.
TAKE = (
    _HEAD
    + f"""
local caller, per_second, room = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local function wait(seconds)
    redis.call('ZADD', waiting, tostring(now + math.min(seconds, {LOOK_SECONDS}) + {_LATE_SECONDS}), caller)
    redis.call('EXPIRE', waiting, {_KEEP_SECONDS})
    return tostring(math.max(seconds, 0.005))
end
local tokens, filled_at = room, redis.call('HGET', line, 'tokens_at')
if filled_at then
    tokens = math.min(room, number('tokens') + math.max(0, now - tonumber(filled_at)) * per_second)
end
local function parent(node) return string.match(node, '^(.*)/') or '' end
local function had(node) return line .. ':had:' .. node end
local function start(node)
    local tag = tonumber(redis.call('ZSCORE', had(parent(node)), node) or '0')
    return math.max(number('now:' .. parent(node)), tag)
end

redis.call('ZREMRANGEBYSCORE', waiting, '-inf', tostring(now))
local below, children = {{}}, {{}}
local function count(path)
    local node = path
    while node ~= '' do
        below[node] = (below[node] or 0) + 1
        children[parent(node)] = children[parent(node)] or {{}}
        children[parent(node)][node] = true
        node = parent(node)
    end
end
for _, other in ipairs(redis.call('ZRANGE', waiting, 0, -1)) do
    if other ~= caller then count(other) end
end

-- From the caller up: how many turns of what is beside it come before the one that is the caller's. Each caller in the
-- line waits for one turn, and each turn of a node is one later than the one before.
local node, ahead = caller, 0
while node ~= '' do
    local tag = start(node) + ahead
    for other in pairs(children[parent(node)] or {{}}) do
        if other ~= node then
            local sooner = tag - start(other)
            local turns = math.max(0, math.ceil(sooner))
            if sooner >= 0 and sooner == math.floor(sooner) and other < node then turns = turns + 1 end
            ahead = ahead + math.min(turns, below[other])
        end
    end
    node = parent(node)
end
local hold = number('hold_until') - now
local short = math.max(hold, (1 + ahead - tokens) / per_second)
if short > 0 then
    redis.call('HSET', line, 'tokens', tostring(tokens), 'tokens_at', tostring(now))
    redis.call('EXPIRE', line, {_KEEP_SECONDS})
    return wait(short)
end
redis.call('HSET', line, 'tokens', tostring(tokens - 1), 'tokens_at', tostring(now))
node = caller
while node ~= '' do
    local mine, above = start(node), parent(node)
    redis.call('HSET', line, 'now:' .. above, tostring(mine))
    redis.call('ZADD', had(above), tostring(mine + 1), node)
    redis.call('ZREMRANGEBYSCORE', had(above), '-inf', tostring(mine - 1))
    redis.call('EXPIRE', had(above), {_KEEP_SECONDS})
    node = above
end
redis.call('EXPIRE', line, {_KEEP_SECONDS})
redis.call('ZREM', waiting, caller)
return '0'
"""
)

# ARGV: line, now or an empty text, caller.
LEAVE = (
    _HEAD
    + """
redis.call('ZREM', waiting, ARGV[3])
"""
)

# ARGV: line, now or an empty text, seconds.
HOLD = (
    _HEAD
    + f"""
redis.call('HSET', line, 'hold_until', tostring(math.max(number('hold_until'), now + tonumber(ARGV[3]))))
redis.call('EXPIRE', line, {_KEEP_SECONDS})
"""
)
