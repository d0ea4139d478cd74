"""The pace of a caller that is slowed down: so many uses a minute for all its keys and processes together.

Kept in Redis. Other callers are never counted. With Redis away nobody can tell, and the slowed caller waits.
"""

import uuid

from django.conf import settings

from connections.lifecycle.throttle.shared import run_script

# ARGV: the caller, uses a minute. Answers 0, or the seconds until the next minute of its own begins.
_TAKE = """
local key = 'latchkey:pace:' .. ARGV[1]
local uses = redis.call('INCR', key)
if uses == 1 then redis.call('EXPIRE', key, 60) end
if uses <= tonumber(ARGV[2]) then return 0 end
return math.max(1, redis.call('TTL', key))
"""
_UNKNOWN_SECONDS = 5


def wait_of(client_id: uuid.UUID) -> int:
    """Return for how many seconds the slowed caller has to wait, or 0 where it may go on. One round trip to Redis."""
    answer = run_script(_TAKE, client_id, settings.THROTTLED_USES_PER_MINUTE)
    return _UNKNOWN_SECONDS if answer is None else int(answer)
