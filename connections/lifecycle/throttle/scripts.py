"""What the throttle keeps in Redis, and the Lua that reads and changes it: one round trip, and no race in between.

Times are by Redis's own clock, in seconds, so that the clocks of the workers need not agree. Each party that is asked
has a hash (``admission``):

    hold_until              nothing is sent before this moment (``Retry-After``)
    tokens, tokens_at       the bucket of the budget, and when it was filled last
    SERVER:open_until       the breaker of one server of the provider is open until then…
    SERVER:trips            …for the so-many-th time since it last answered; from then on one trial at a time may go
    SERVER:trial_until      a trial is under way

and beside the hash, a set of the connections that one server last failed to answer. ``held:SERVER`` and
``tripped:SERVER`` are sorted sets of parties by the moment at which one leaves them, so that a sweep reads all of them
in one call. All keys expire.
"""

PREFIX = "latchkey:throttle"
KEEP_SECONDS = 7200
FAILING_WITHIN_SECONDS = 600
TRIAL_SECONDS = 25  # longer than one call may last
TRIAL_WAIT_SECONDS = 2
_HEAD = f"""
local stamp = redis.call('TIME')
local now = tonumber(stamp[1]) + tonumber(stamp[2]) / 1000000
local party = '{PREFIX}:app:' .. ARGV[1]
local server = ARGV[2]
local failing = '{PREFIX}:failing:' .. server .. ':' .. ARGV[1]
local function held(name) return '{PREFIX}:held:' .. name end
local function tripped(name) return '{PREFIX}:tripped:' .. name end
local function number(field) return tonumber(redis.call('HGET', party, field) or '0') end
local function put(...)
    redis.call('HSET', party, ...)
    redis.call('EXPIRE', party, {KEEP_SECONDS})
end
local function leave_out(name, until_)
    redis.call('ZADD', held(name), 'GT', until_, ARGV[1])
    redis.call('EXPIRE', held(name), {KEEP_SECONDS})
end
"""

# ARGV: party, server, requests a minute, room of the bucket, share of it that is left to others, whether it is urgent,
# how many requests, the other server. Answers the seconds to wait as a text; or how many requests may be sent, and 1 if
# an answer would change something, else 0.
ADMIT = (
    _HEAD
    + f"""
local hold = number('hold_until')
if hold > now then return tostring(hold - now) end
local open = number(server .. ':open_until')
if open > now then return tostring(open - now) end
local is_trial = number(server .. ':trips') > 0
if is_trial then
    local trial = number(server .. ':trial_until')
    if trial > now then return tostring(math.min(trial - now, {TRIAL_WAIT_SECONDS})) end
end
local per_second, room, left = tonumber(ARGV[3]) / 60, tonumber(ARGV[4]), tonumber(ARGV[5])
local tokens = room
local filled_at = redis.call('HGET', party, 'tokens_at')
if filled_at then
    tokens = math.min(room, number('tokens') + math.max(0, now - tonumber(filled_at)) * per_second)
end
local granted = is_trial and 1 or tonumber(ARGV[7])
if ARGV[6] == '0' then granted = math.min(granted, math.floor(tokens - left)) end
if granted < 1 then
    put('tokens', tostring(tokens), 'tokens_at', tostring(now))
    local refilled = now + math.max(left + 1, room / 2) / per_second - tokens / per_second
    leave_out(server, tostring(refilled))
    return tostring((left + 1 - tokens) / per_second)
end
put('tokens', tostring(math.max(tokens - granted, -room)), 'tokens_at', tostring(now))
if is_trial then put(server .. ':trial_until', tostring(now + {TRIAL_SECONDS})) end
return {{granted, (is_trial or redis.call('EXISTS', failing) == 1) and 1 or 0}}
"""
)

# ARGV: party, server, how many, the other server. Takes back unused admissions.
GIVE_BACK = (
    _HEAD
    + """
if redis.call('HEXISTS', party, 'tokens') == 1 then redis.call('HINCRBYFLOAT', party, 'tokens', ARGV[3]) end
redis.call('HDEL', party, server .. ':trial_until')
"""
)

# ARGV: party, server.
ANSWERED = (
    _HEAD
    + """
redis.call('DEL', failing)
if redis.call('HDEL', party, server .. ':trips', server .. ':open_until', server .. ':trial_until') > 0 then
    redis.call('ZREM', tripped(server), ARGV[1])
    if number('hold_until') <= now then redis.call('ZREM', held(server), ARGV[1]) end
end
"""
)

# ARGV: party, server, connection, threshold, base and cap of the wait, spread. Answers the seconds for which the
# breaker was opened, or nil.
FAILED = (
    _HEAD
    + f"""
if number(server .. ':open_until') > now then return nil end
local trips = number(server .. ':trips')
if trips == 0 then
    redis.call('SADD', failing, ARGV[3])
    redis.call('EXPIRE', failing, {FAILING_WITHIN_SECONDS})
    if redis.call('SCARD', failing) < tonumber(ARGV[4]) then return nil end
end
local ceiling = math.min(tonumber(ARGV[6]), tonumber(ARGV[5]) * 2 ^ math.min(trips, 20))
local wait = math.max(1, ceiling * tonumber(ARGV[7]))
redis.call('DEL', failing)
redis.call('HDEL', party, server .. ':trial_until')
put(server .. ':open_until', tostring(now + wait), server .. ':trips', tostring(trips + 1))
leave_out(server, tostring(now + wait))
redis.call('ZADD', tripped(server), tostring(now + {KEEP_SECONDS}), ARGV[1])
redis.call('EXPIRE', tripped(server), {KEEP_SECONDS})
return tostring(wait)
"""
)

# ARGV: party, server, seconds, the other server.
HOLD = (
    _HEAD
    + """
local until_ = math.max(number('hold_until'), now + tonumber(ARGV[3]))
put('hold_until', tostring(until_))
redis.call('HDEL', party, server .. ':trial_until')
leave_out(server, tostring(until_))
leave_out(ARGV[4], tostring(until_))
"""
)

# ARGV: -, server. Answers the parties that are held back, and those that may send one trial.
RESTRAINED = (
    _HEAD
    + """
redis.call('ZREMRANGEBYSCORE', held(server), '-inf', tostring(now))
redis.call('ZREMRANGEBYSCORE', tripped(server), '-inf', tostring(now))
return {redis.call('ZRANGE', held(server), 0, -1), redis.call('ZRANGE', tripped(server), 0, -1)}
"""
)
