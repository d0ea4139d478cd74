"""How many different connections, and denied ids, a client has touched on a day: sketches in Redis.

A sketch (HyperLogLog) has 12 kB at the most and is off by a percent or so. It takes the same id twice without a
difference, so a part of the trail that is read again changes nothing. Each is forgotten after two days. Where Redis has
lost one, the count begins anew, and ``usual`` keeps the highest of the day.
"""

import uuid
from collections.abc import Collection
from datetime import date

from connections.lifecycle.throttle.shared import run_script

_KEEP_SECONDS = 2 * 86_400
_AT_ONCE = 2_000
# ARGV: the key, and ids. Answers how many different ones there are by now.
_ADD = f"""
local key = 'latchkey:watch:' .. ARGV[1]
for place = 2, #ARGV, 500 do
    redis.call('PFADD', key, unpack(ARGV, place, math.min(place + 499, #ARGV)))
end
redis.call('EXPIRE', key, {_KEEP_SECONDS})
return redis.call('PFCOUNT', key)
"""


class CountsAway(Exception):
    """Redis does not answer, so nothing can be counted now."""


def count_with(kind: str, client_id: uuid.UUID, day: date, ids: Collection[uuid.UUID]) -> int:
    """Return how many different ids of this ``kind`` the client has touched on ``day``, ``ids`` among them.

    A round trip to Redis for each 2,000 of them. Raises ``CountsAway``.
    """
    key, texts, count = f"{kind}:{client_id}:{day.isoformat()}", [str(one) for one in ids], 0
    for place in range(0, len(texts), _AT_ONCE):
        answer = run_script(_ADD, key, *texts[place : place + _AT_ONCE])
        if answer is None:
            raise CountsAway
        count = int(answer)
    return count
