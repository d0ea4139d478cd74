"""What ``turns`` keeps in Redis, and the Lua that reads and changes it. Times are by Redis's own clock, in seconds.

Each line has a hash with its bucket (``tokens``, ``tokens_at``), ``hold_until`` and the virtual time ``now``; a sorted
set ``:had`` of callers by the tag behind their last turn; and a sorted set ``:waiting`` of those in the line by when
they are expected to have asked again. All keys expire.
"""

_PREFIX = "latchkey:turns"
_KEEP_SECONDS = 3600
_LATE_SECONDS = 1  # a caller that asks no more is left out after that
LOOK_SECONDS = 5  # at the most between two looks, so that a place that others have left is noticed
_HEAD = f"""
local stamp = redis.call('TIME')
local now = tonumber(stamp[1]) + tonumber(stamp[2]) / 1000000
local line = '{_PREFIX}:' .. ARGV[1]
local had, waiting = line .. ':had', line .. ':waiting'
local function number(field) return tonumber(redis.call('HGET', line, field) or '0') end
"""

# ARGV: line, caller, how many a second, room of the bucket. Answers the seconds to wait as a text, "0" for a turn.
TAKE = (
    _HEAD
    + f"""
local caller, per_second, room = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local function wait(seconds)
    redis.call('ZADD', waiting, tostring(now + math.min(seconds, {LOOK_SECONDS}) + {_LATE_SECONDS}), caller)
    redis.call('EXPIRE', waiting, {_KEEP_SECONDS})
    return tostring(math.max(seconds, 0.005))
end
local tokens, filled_at = room, redis.call('HGET', line, 'tokens_at')
if filled_at then
    tokens = math.min(room, number('tokens') + math.max(0, now - tonumber(filled_at)) * per_second)
end
redis.call('ZREMRANGEBYSCORE', waiting, '-inf', tostring(now))
local virtual = number('now')
local function start(name) return math.max(virtual, tonumber(redis.call('ZSCORE', had, name) or '0')) end
local mine, ahead = start(caller), 0
for _, other in ipairs(redis.call('ZRANGE', waiting, 0, -1)) do
    if other ~= caller then
        local theirs = start(other)
        if theirs < mine or (theirs == mine and other < caller) then ahead = ahead + 1 end
    end
end
local hold = number('hold_until') - now
local short = math.max(hold, (1 + ahead - tokens) / per_second)
if short > 0 then
    redis.call('HSET', line, 'tokens', tostring(tokens), 'tokens_at', tostring(now))
    redis.call('EXPIRE', line, {_KEEP_SECONDS})
    return wait(short)
end
redis.call('HSET', line, 'tokens', tostring(tokens - 1), 'tokens_at', tostring(now), 'now', tostring(mine))
redis.call('EXPIRE', line, {_KEEP_SECONDS})
redis.call('ZADD', had, tostring(mine + 1), caller)
redis.call('ZREMRANGEBYSCORE', had, '-inf', tostring(mine - 1))
redis.call('EXPIRE', had, {_KEEP_SECONDS})
redis.call('ZREM', waiting, caller)
return '0'
"""
)

# ARGV: line, caller.
LEAVE = (
    _HEAD
    + """
redis.call('ZREM', waiting, ARGV[2])
"""
)

# ARGV: line, seconds.
HOLD = (
    _HEAD
    + f"""
redis.call('HSET', line, 'hold_until', tostring(math.max(number('hold_until'), now + tonumber(ARGV[2]))))
redis.call('EXPIRE', line, {_KEEP_SECONDS})
"""
)
